# `make demo` and `make test` are the two commands to begin with; `make help` lists the rest.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PERKPASS := $(BIN)/perkpass
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: help setup check test test-sqlite test-postgresql screens bench demo run web worker migrate lock format

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "} {printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/.sandbox: requirements-sandbox.lock pyproject.toml
	@echo "Installing into $(VENV): about a minute, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements-sandbox.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.sandbox
	@echo "Installing the developers' tools into $(VENV)."
	@$(PIP) --no-compile --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.dev ## install the service, the sandbox and the developers' tools into .venv

format: $(VENV)/.dev ## put the code into its one shape
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

check: $(VENV)/.dev ## format, lint, types, floors and every test that finds its server
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

test: $(VENV)/.dev ## every test that finds its server: SQLite alone, then PostgreSQL with Redis
	$(BIN)/python -m tests

screens: $(VENV)/.dev ## pictures of every page, in docs/screens
	$(BIN)/python -m tests.screens

bench: $(VENV)/.dev ## every benchmark in full, an hour or more; writes docs/performance.md
	$(BIN)/python -m bench

demo: $(VENV)/.sandbox ## the whole loop on this machine: two brands, six venues, thirty phones, a till
	$(PERKPASS) demo

run: $(VENV)/.sandbox ## web and worker on SQLite (embedded mode)
	$(PERKPASS) run

web: $(VENV)/.sandbox ## the web side alone
	$(PERKPASS) web

worker: $(VENV)/.sandbox ## the worker alone
	$(PERKPASS) worker

migrate: $(VENV)/.sandbox ## bring the database schema up to date
	$(PERKPASS) migrate

lock: $(VENV)/.dev ## resolve the lock files anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra sandbox pyproject.toml -c requirements.lock -o requirements-sandbox.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra sandbox --extra dev pyproject.toml -c requirements-sandbox.lock -o requirements-dev.lock
