# `make run` serves with demo data, `make test` runs all tests; each sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run test check fix foreign contexts schemas requirements clean

help: ## List these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: .venv/.run ## Set up, fill with demo data, serve on http://localhost:8000
	$(BIN)/kpass serve --demo

test: .venv/.dev ## Set up and run all tests, on SQLite and on PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadgroup --database=sqlite -m "not postgresql"
	$(BIN)/python -m pytest -n 2 --dist loadgroup --database=postgresql

check: .venv/.dev ## Static checks: format, lint, types, imports, migrations, schemas
	$(BIN)/ruff format --check src tests contexts schemas alembic
	$(BIN)/ruff check src tests contexts schemas alembic
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.check_migrations
	$(BIN)/python schemas/generate.py --check

fix: .venv/.dev ## Format, and mend what the linter can
	$(BIN)/ruff format src tests contexts schemas alembic
	$(BIN)/ruff check --fix src tests contexts schemas alembic

foreign: .venv/.dev ## Ask other people's verifiers about a file: make foreign FILE=var/demo/ID.sv.json
	$(BIN)/python -m tests.interop.ask $(FILE)

contexts: .venv/.dev ## Bring the pinned JSON-LD contexts in anew, byte for byte
	$(BIN)/python contexts/collect.py

schemas: .venv/.dev ## Write our own JSON Schemas from the models
	$(BIN)/python schemas/generate.py

requirements: .venv/.dev ## Pin every dependency anew, with hashes
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade --group build pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade --group build --group dev pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and caches, never data or keys
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/*/node_modules

.venv/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=…)"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.run: .venv/pyvenv.cfg requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/pyvenv.cfg requirements-dev.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run
