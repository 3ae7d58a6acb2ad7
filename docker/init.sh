#!/bin/sh
# Once before the first `docker compose up`: passwords that nobody else knows, and a certificate to begin with.
set -eu
cd "$(dirname "$0")"
umask 077

if [ ! -e .env ]; then
    password=$(openssl rand -hex 24)
    # Of the two lines that compose needs, one is generated and one is yours: PUBLIC_URL.
    { echo "MYSQL_PASSWORD=$password"; cat ../.env.example; } >.env
    echo "Made docker/.env with a generated MYSQL_PASSWORD. Fill in PUBLIC_URL and the WECHAT_ lines."
fi

if [ ! -e certificates/fullchain.pem ]; then
    mkdir -p certificates
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=localhost" \
        -keyout certificates/privkey.pem -out certificates/fullchain.pem 2>/dev/null
    echo "Made a self-signed certificate in docker/certificates. WeChat needs a real one: put it there."
fi
