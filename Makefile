# Two commands for a stranger: `make demo` and `make test`. Everything else is for those who stay.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# A fuzzer that is guided by coverage has an environment of its own: it is built for few Pythons.
FUZZ       := .venv.fuzz
FUZZ_READY := $(FUZZ)/.ready
SECONDS    ?= 60
BODIES     ?= 20000

.PHONY: help core demo test check up bench bench-ingest chaos audit fuzz fuzz-http clean setup lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

core: $(READY) ## build the compiled core again, after a change in native/
	@bin/build-core $(BIN)

setup: $(READY) ## make .venv, a virtual environment with everything pinned

$(READY): requirements-dev.txt pyproject.toml
	@echo 'Making $(VENV): a minute or two, and about 700 MB with MongoDB and Postgres.'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@bin/build-core $(BIN)
	@touch $@
	@echo '$(VENV) is ready: . $(BIN)/activate'

demo: $(READY) ## the whole road, from printed lines to rows in Postgres
	$(BIN)/python examples/demo.py

test: $(READY) ## all tests, on a real mongod and a real Postgres
	$(BIN)/python -m pytest -q -n 2

check: $(READY) ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(READY) ## everything at once: MongoDB, Postgres, the drain and a worker
	$(BIN)/logdrain up

bench: $(READY) ## measurements, side by side in one run
	$(BIN)/python bench/run.py

bench-ingest: $(READY) ## how fast the drain takes events, beside others: OPTIONS="--quick --growth"
	$(BIN)/python -m bench.ingest.run $(OPTIONS)

fuzz: $(FUZZ_READY) ## look for input that breaks a promise, SECONDS=60 each; TARGETS="sql cron" for some
	$(FUZZ)/bin/python tests/fuzz/run.py $(SECONDS) $(TARGETS)

$(FUZZ_READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(FUZZ)/bin/pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[fuzz]'
	@touch $@

fuzz-http: $(READY) ## mutated bodies to a real drain: BODIES=200000; SEED=1 repeats a run
	$(BIN)/python tests/fuzz/mutate.py --bodies $(BODIES) $(if $(SEED),--seed $(SEED))

audit: ## known vulnerabilities of what is pinned (needs the network; what cannot be looked up fails it)
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

chaos: $(READY) ## break everything, count what is lost: ROUNDS=5 CHAOS_SEED=… CHAOS_SECONDS=60
	ROUNDS="$(ROUNDS)" $(BIN)/python -m tests.chaos

lock: ## renew the pinned requirements (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra server pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra server --extra sandbox --extra dev -c requirements.txt pyproject.toml build-requirements.in -o requirements-dev.txt

clean: ## remove what the other targets made, but no data
	rm -rf $(VENV) $(FUZZ) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
