#!/bin/sh
# Replace what runs by the version of this checkout, while customers write: migrations, then one web process after the
# other, then the workers. Safe to run again when it was interrupted.
#
#   cd docker && git pull && ./replace.sh
set -eu
cd "$(dirname "$0")"

servers=nginx/servers

serve_by_both() {
    sed -i 's/ down;$/;/' "$servers"/*.conf
}

reload_nginx() {
    docker compose exec -T nginx nginx -s reload
}

replace() {
    docker compose up -d --no-deps --force-recreate --wait --wait-timeout 120 "$1"
}

replace_web() {
    # nginx asks it for nothing new; what it holds it answers before it ends.
    sed -i 's/;$/ down;/' "$servers/$1.conf"
    reload_nginx
    replace "$1"
    serve_by_both
    reload_nginx
}

# Whatever goes wrong, nginx knows both again.
trap 'serve_by_both; reload_nginx || true' EXIT

serve_by_both
docker compose build prepare
# The former version still serves: a migration never takes from it what it writes to (see CONTRIBUTING.md).
docker compose run --rm --no-deps prepare
replace_web web1
replace_web web2
# Each gets 60 s to say what it has in hand; meanwhile messages wait in the queue.
replace worker
replace beat
