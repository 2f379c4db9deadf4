# Every target is one line over a script. `make demo` and `make test` need Python 3.11+, git and make, nothing else.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

SOURCE = $(if $(PAGE),--page "$(PAGE)") $(if $(URL),--url "$(URL)")

.PHONY: help setup demo service test uvloop lowest newest check bench chaos fuzz webhook-campaign tracking-chaos tracking-figures screenshot lint types unit spec client drift update spec-check lock clean

help:  ## this list
	@grep -hE '^[a-z -]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(READY)  ## make .venv with everything pinned in requirements.lock

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON), once ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

demo: $(READY)  ## three refunds from quote to end against a local Atlas
	@$(BIN)/python -m examples.demo

service: $(READY)  ## the example web service beside a local Atlas, with one refund to look at
	@$(BIN)/python -m examples.refund_service --demo

test: lint types spec-check  ## everything that CI runs
	@$(BIN)/coverage erase && $(BIN)/coverage run -m pytest -q -n auto
	@$(BIN)/coverage combine -q && $(BIN)/coverage report --skip-covered --fail-under=95
	@$(MAKE) --no-print-directory uvloop lowest newest

uvloop: $(READY)  ## the tests of the layer and of webhooks that need an event loop, on uvloop
	@ATLAS_TEST_LOOP=uvloop $(BIN)/python -m pytest -q -n auto -m asyncio tests/layer tests/webhooks

lowest: RESOLUTION := lowest-direct
newest: RESOLUTION := highest
lowest newest: $(READY)  ## the tests of the layer with the lowest, or newest, versions that we allow, in a venv of its own
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/uv venv -q --clear --python $(BIN)/python $(VENV)-$@
	@VIRTUAL_ENV=$(VENV)-$@ $(BIN)/uv pip install -q --resolution $(RESOLUTION) --group layer -e '.[aiohttp,otel,simulator]'
	@$(VENV)-$@/bin/python -m pytest -q -n auto tests/layer

check: lint types spec-check unit  ## what to run before each commit

lint: $(READY)  ## format and lint
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .

types: $(READY)  ## mypy --strict and pyright
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pyright

unit: $(READY)  ## the tests of pipeline, models and layer
	@$(BIN)/python -m pytest -q -n auto tests/spec tests/models tests/layer

spec: $(READY)  ## rebuild the merged and the corrected specification from the page
	@$(BIN)/python -m scripts.spec build

client: $(READY)  ## the same, and regenerate generated_client/
	@$(BIN)/python -m scripts.spec client

drift: $(READY)  ## compare the live page (or PAGE=file, URL=address; FORMAT=markdown) with our copy
	@$(BIN)/python -m scripts.drift $(SOURCE) $(if $(FORMAT),--format $(FORMAT))

update: $(READY)  ## accept the live page (or PAGE=file, URL=address): rebuild, regenerate, test, two commits
	@$(BIN)/python -m scripts.update $(SOURCE)

spec-check: $(READY)  ## fail with a diff when specs or client are not what the page yields
	@$(BIN)/python -m scripts.spec check

lock: $(READY)  ## pin again what requirements.lock pins
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip compile -q --universal --no-annotate --no-header --no-emit-index-url --python-version 3.11 \
		--group dev --all-extras pyproject.toml -o requirements.lock

clean:  ## remove the environment and caches
	@rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

chaos: $(READY)  ## 10,000 submits by every kind of client under faults, SIGINT and kill -9, then compare the books
	@$(BIN)/python -m tests.chaos.campaign

fuzz: $(READY)  ## a million mutated answers and webhooks, read as the client does; COUNT=n SEED=n
	@$(BIN)/python -m tests.fuzz.campaign $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

webhook-campaign: $(READY)  ## 1000 refunds through the example service, webhooks lost and forged; KILLS=10 kills it
	@$(BIN)/python -m tests.service.campaign $(if $(KILLS),--kills $(KILLS) --faults) $(if $(REFUNDS),--refunds $(REFUNDS))

tracking-chaos: $(READY)  ## kill tracking workers and stop their database: SQLite, then PostgreSQL where installed; freeze, cut off, restore; 30 minutes
	@for outage in 0 60; do for database in sqlite postgresql; do \
		$(BIN)/python -m tests.tracking.campaign --database $$database --outage $$outage || exit 1; done; done
	@$(BIN)/python -m tests.tracking.campaign --database postgresql --refunds 600 --kills 45 --harm kill freeze partition --bouncer
	@$(BIN)/python -m tests.tracking.campaign --database postgresql --refunds 120 --kills 20 --harm kill restore

tracking-figures: $(READY)  ## memory, idle CPU and lateness of 100,000 tracked refunds, on both databases
	@$(BIN)/python -m tests.tracking.figures

bench: $(READY)  ## what a call and following cost beside other clients, as ratios; about five minutes
	@$(BIN)/python -m bench
	@$(BIN)/python -m bench.follow

screenshot: $(READY)  ## take docs/images/simulator.png again, with Chromium
	@$(BIN)/python -m tests.simulator.screenshot
