# One command each. `make` finds a Python 3.11 or newer; scripts/setup.py does the rest.

PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check bench messages python

help: ## Show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

run: python ## Set everything up and serve: http://localhost:8000/simulator/
	@"$(PYTHON)" scripts/setup.py --for run
	@exec $(BIN)/python manage.py serve --demo

test: python ## Set everything up and pass all tests on MariaDB + Redis and on SQLite + Redis
	@"$(PYTHON)" scripts/setup.py --for test
	@exec $(BIN)/python scripts/test.py

check: python ## Style, types, floors, templates, migrations, translations
	@"$(PYTHON)" scripts/setup.py --for check
	@exec $(BIN)/python scripts/check.py

bench: python ## Measure speed and memory, beside peers, into benchmarks/RESULTS.md
	@"$(PYTHON)" scripts/setup.py --for test
	@exec $(BIN)/python -m benchmarks

messages: python ## Collect the texts to translate into locale/ (needs gettext) and compile them
	@"$(PYTHON)" scripts/setup.py --for check
	@exec $(BIN)/python manage.py makemessages -l en --no-wrap --no-location --no-obsolete -i .venv -i var -i tests
	@exec $(BIN)/python scripts/translations.py --compile

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found on PATH." >&2; exit 1; }
