# Everything sets itself up: `make demo` and `make test` need Python 3.11+, git and make.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PACKAGE_PATHS := plugins dags demo docker tests benchmarks tools
# Where the environment forbids byte code, every start of Airflow would be two to three times slower.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test test-ui chaos lint format lock bench up down clean

setup: $(VENV)/.installed  ## .venv with everything in it

$(VENV)/.installed: requirements.txt requirements-dev.txt requirements-oracle.txt pyproject.toml scripts/setup.sh
	PYTHON=$(PYTHON) bash scripts/setup.sh $(VENV)
	touch $@

demo: setup  ## a campaign sent, tracked and reported; ARGS=--exit stops by itself
	@$(BIN)/python -m demo $(ARGS)

test: setup  ## the whole suite, on two cores; ARGS are pytest's
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: setup  ## style, types, import arrows, compose file
	$(BIN)/ruff check $(PACKAGE_PATHS)
	$(BIN)/ruff format --check $(PACKAGE_PATHS)
	$(BIN)/mypy
	bash scripts/lint_compose.sh

format: setup  ## put the code in its form
	$(BIN)/ruff check --fix $(PACKAGE_PATHS)
	$(BIN)/ruff format $(PACKAGE_PATHS)

lock:  ## resolve requirements*.in again; needs uv
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate -U requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate -U requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate -U requirements-oracle.in -o requirements-oracle.txt

test-ui: setup  ## a whole Airflow, looked at in Chromium (Debian: apt-get install chromium)
	$(BIN)/python -m pytest tests/ui -m browser $(ARGS)

chaos: setup  ## kills by the hundred, on SQLite and PostgreSQL; takes minutes
	CHAOS_KILLS=500 CHAOS_RECIPIENTS=10000 $(BIN)/python -m pytest tests/acceptance $(ARGS)

bench: setup  ## print the figures of docs/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

up:  ## the compose stack; ARGS="--profile demo" adds the simulator
	docker compose $(ARGS) up --detach --wait --build

down:  ## stop it, keep its data
	docker compose --profile demo down

clean:  ## forget the demo's data
	rm -rf .demo
