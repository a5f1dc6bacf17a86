# `make run` serves with demo data, `make test` runs all tests; each sets up what it needs.

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run test check drill bench bench-gate fix foreign contexts schemas requirements clean

help: ## List these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

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

drill: .venv/.dev ## Issue ten thousand while workers are killed, on both databases: half an hour
	$(BIN)/python -m tests.drill --rows 10000 --kills 10
	$(BIN)/python -m tests.drill --rows 10000 --kills 10 --database postgresql --workers 2
	$(BIN)/python -m tests.drill --http 5
	$(BIN)/python -m tests.drill --http 5 --database postgresql --workers 2

bench: .venv/.dev ## Measure ours and other implementations side by side; writes docs/bench.json and docs/bench.svg
	$(BIN)/python -m tests.bench

bench-gate: .venv/.dev ## The same, and fail if a ratio is beyond its gate; writes nothing
	$(BIN)/python -m tests.bench --gate

foreign: .venv/.dev ## Ask other people's verifiers about a file: make foreign FILE=var/demo/ID.sv.json
	$(BIN)/python -m tests.interop.ask $(FILE)

contexts: .venv/.dev ## Bring the pinned JSON-LD contexts in anew, byte for byte
	$(BIN)/python contexts/collect.py

schemas: .venv/.dev ## Write our own JSON Schemas from the models
	$(BIN)/python schemas/generate.py

COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

requirements: .venv/.dev ## Pin every dependency anew, with hashes
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --group build -o requirements-build.txt
	$(COMPILE) --group build --group dev pyproject.toml -o requirements-dev.txt
	$(COMPILE) tests/bench/requirements-openvc.in -o tests/bench/requirements-openvc.txt

clean: ## Remove the environment and caches, never data or keys
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/*/node_modules tests/*/*/node_modules

.venv/.run: install.sh requirements.txt requirements-build.txt pyproject.toml
	PYTHON=$(PYTHON) ./install.sh
	@touch $@

.venv/.dev: install.sh requirements-dev.txt pyproject.toml
	PYTHON=$(PYTHON) ./install.sh dev
	@touch $@ .venv/.run
