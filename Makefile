# Two commands do everything: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
TEST_ARGS ?=
CHAOS_ARGS ?=
SEEDS ?= 1000
CASES ?= 20000

.PHONY: help setup lock demo chromium test test-all test-fast coverage fmt lint bench bench-all simulate chaos fuzz clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(VENV)/.installed  ## .venv, with everything that constraints.txt pins

# Every file that is installed has a hash in constraints.txt, pip itself and what builds the folds among them: what is
# not there, or has been exchanged, is refused. No file is asked what else it needs, so the list has to be whole.
$(VENV)/.installed: pyproject.toml client/pyproject.toml setup.py constraints.txt $(wildcard aggregators/compiled/*.p*)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
		--no-build-isolation -e ./client -e .
	touch $@

# Writes constraints.txt anew: all that pyproject.toml needs, at the versions that stand there, with the hashes of their
# files for every platform. UPGRADE='--upgrade-package NAME' lets one go on, UPGRADE=--upgrade all.
lock:  ## write constraints.txt anew (UPGRADE=--upgrade)
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras --group build \
		--generate-hashes --no-header --no-annotate --no-emit-package tally-client $(UPGRADE) \
		pyproject.toml --output-file constraints.txt

demo: setup  ## the main job, with a month of simulated history (DEMO_ARGS=--exit stops when it is done)
	$(BIN)/tally demo $(DEMO_ARGS)

# Tests of the dashboard drive Debian's Chromium. Root on Debian gets it here; without it those tests say what to do.
chromium:
	@command -v chromium >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
			&& apt-get update --quiet=2 && apt-get install --yes --quiet=2 chromium >/dev/null; } \
		|| echo "No Chromium here: install it (Debian: apt-get install chromium), or the dashboard's tests fail."

# Files of tests are shared out to three processes, each with a Kafka and a ClickHouse of its own: on two cores, because
# a test that waits (for a rebalance, for a server to come back) leaves its core to the others. The order is that of
# tests/conftest.py. A line says what begins and what has ended.
BY_FILE := $(BIN)/python -m pytest -p tests.support.progress --numprocesses 3 --dist loadfile --no-loadscope-reorder

test: setup chromium  ## real Kafka, ClickHouse, API and pages in minutes: all but the slow tests (TEST_ARGS go to pytest)
	$(BY_FILE) -m "not slow" $(TEST_ARGS)

test-all: setup chromium  ## all tests (TEST_ARGS go to pytest)
	$(BY_FILE) $(TEST_ARGS)

# What needs no server: a look before each commit.
test-fast: setup  ## tests that need no server (TEST_ARGS go to pytest)
	$(BIN)/python -m pytest tests/unit tests/property --numprocesses 2 -m "not (kafka or clickhouse)" $(TEST_ARGS)

# Every branch of the folds is run by their own tests, not by chance. Tracing doubles the time of a test, so it is off in
# tests that name no fold.
coverage: setup  ## unit and property tests, with every branch of the folds
	$(BIN)/python -m pytest tests/unit tests/property --numprocesses 2 --cov=aggregators --cov-branch \
		--cov-fail-under=100 --cov-report=term:skip-covered

fmt: setup  ## format, and fix what Ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: setup  ## Ruff, mypy, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## the worker and exports, against others (BENCH_ARGS)
	$(BIN)/python -m bench $(BENCH_ARGS)
	$(BIN)/python -m bench.export_memory

# Everything that docs/performance.md shows of the worker and of exports: about an hour, half of it the soak.
bench-all: setup  ## everything that docs/performance.md shows, about an hour
	$(BIN)/python -m bench $(BENCH_ARGS)
	$(BIN)/python -m bench.fold_cost
	$(BIN)/python -m bench.topic_mix
	$(BIN)/python -m bench.scaling
	$(BIN)/python -m bench.freshness
	$(BIN)/python -m bench.recovery
	$(BIN)/python -m bench.export_memory --rows 5000000 --compare
	$(BIN)/python -m bench.soak

simulate: setup  ## seeded histories (SEEDS=1000)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

# Faults on the real stack under load; CHAOS_ARGS='--minutes 75 --rate 1200' is the long form.
chaos: setup  ## faults under load on the real stack (CHAOS_ARGS)
	$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

# Requests made from the API's own OpenAPI document.
fuzz: setup  ## odd requests to the API (CASES=20000)
	$(BIN)/python -m tests.api.fuzz --cases $(CASES)

clean:  ## remove .venv and .tally
	rm -rf $(VENV) .tally
