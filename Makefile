# Two commands for a stranger: `make demo` and `make test`. Everything else is for those who stay.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help demo test check up bench clean setup lock

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## a virtual environment in .venv with everything pinned

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## the whole road, from printed lines to rows in Postgres
	$(BIN)/python examples/demo.py

test: $(READY) ## all tests, on a real mongod and a real Postgres
	$(BIN)/python -m pytest -q -n 2

check: $(READY) ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(READY) ## drain, API, worker, MongoDB and Postgres in one process group
	$(BIN)/logdrain up

bench: $(READY) ## measurements, side by side in one run
	$(BIN)/python bench/run.py

lock: ## renew the pinned requirements (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra sandbox --extra dev -c requirements.txt pyproject.toml build-requirements.in -o requirements-dev.txt

clean: ## remove what the other targets made, but no data
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
