# One target per chore, the same for a person and for CI. Every target sets up by itself.
#   make PYTHON=python3.12 setup    chooses the interpreter (default python3; 3.11 or newer)

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
RUN := runs/kindergarten

BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
LOG := $(VENV)/set-up.log
# At run time too, an int is good where a float is asked for.
CHECKER := beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))
# Found before the first line of Python runs: the sanitizers must be loaded before the program.
SANITIZED := build/sanitized
SANITIZE = OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=0 \
	LD_PRELOAD="$$($${CXX:-c++} -print-file-name=libasan.so) $$($${CXX:-c++} -print-file-name=libstdc++.so)" \
	PYTHONPATH="$(SANITIZED):$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
	$(BIN)/python -S
OLDEST := build/oldest
OLDEST_TESTS := tests/graphs tests/nn tests/metrics tests/decoding tests/targets tests/test_extras.py \
	tests/loss/test_structural.py tests/ot/test_plan.py tests/train/test_run.py tests/test_plot.py \
	tests/cli/test_cli.py
# Where functions of tensors are called with inputs of every shape; elsewhere they are called again.
SHAPED_TESTS := $(addprefix tests/,graphs data nn prediction ot loss layout metrics decoding edits \
	targets test_undirected.py train/test_module.py train/test_queries.py train/test_slots.py)
# A worker that has no test left takes some of the other's: the longest ones are not spread evenly.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup train test test-oldest check-shapes check lint types format bench sanitize recipe browser docs site clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## make the environment .venv, or renew it

# Compiled on all cores after pip, which takes one. Left to Python, a run that may not write
# bytecode compiles torch in every process, and then "invalid escape sequence" is an error of tests.
$(STAMP): pyproject.toml constraints.txt CMakeLists.txt $(wildcard cpp/*.* cpp/*/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'PYTHON must be Python 3.11 or newer. Choose one: make PYTHON=python3.12 setup'; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo 'Setting up $(VENV) (a few minutes the first time; details in $(LOG)) ...'
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile \
		--constraint constraints.txt --editable '.[dev]' >$(LOG) 2>&1 || { cat $(LOG); exit 1; }
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >>$(LOG) 2>&1 || true # files of newer Pythons
	@$(BIN)/python -c 'from grapheme_torch import ot; \
		print("Native CPU kernel:", " ".join(ot.LEVELS) or "none, it did not compile (slower)")'
	@touch $@

train: setup ## train on the built-in questions and answers
	$(BIN)/grapheme train --data kindergarten --out $(RUN) --overwrite
	@echo
	@echo 'Now ask it something:'
	@echo '    $(BIN)/grapheme predict $(RUN) "What color is sky?"'

test: setup ## run the tests
	$(PYTEST)

# Other warnings than ours: old releases use what newer ones deprecate.
test-oldest: ## run a part of the tests with the oldest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints-oldest.txt '.[train,chem,hub]' pytest hypothesis POT
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -p no:cacheprovider -o filterwarnings=ignore \
		-m 'not slow and not repeats' $(OLDEST_TESTS)

check-shapes: setup ## run the tests of tensors with every shape and type checked
	$(PYTEST) --jaxtyping-packages='grapheme_torch,$(CHECKER)' -m 'not compile and not untyped and not repeats' \
		$(SHAPED_TESTS)

check: lint types ## lint, formatting and types

lint: setup ## ruff: lint and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup ## mypy on the package and the tests
	$(BIN)/mypy

format: setup ## apply what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Status 2: the benchmark said that this machine lacks what it measures.
bench: setup ## run every benchmark; results in benchmarks/results
	@set -e; for script in benchmarks/[!_]*.py; do \
		echo "$$script"; OMP_NUM_THREADS=1 $(BIN)/python "$$script" || [ $$? -eq 2 ]; done

# A build of its own, found before the editable one: with -S the latter's hook is not installed.
sanitize: setup ## the kernel under AddressSanitizer and UBSan: its tests, 10,000 pairs of the soak
	rm -rf $(SANITIZED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(SANITIZED) \
		--config-settings cmake.define.GRAPHEME_SANITIZE=ON .
	$(SANITIZE) -m pytest -q -p no:cacheprovider tests/ot/kernels/test_native_cpu.py \
		tests/loss/engines/test_native_engine.py tests/nn/test_operations.py
	$(SANITIZE) benchmarks/soak.py --pairs 10000 --no-record

recipe: setup ## train and evaluate a task: make recipe TASK=smiles DATA=folder
	OMP_NUM_THREADS=1 $(BIN)/python recipes/run.py $(TASK) $(DATA) $(OPTIONS)

browser: setup ## drive the pages in a browser (Debian: apt install chromium)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[browser]'
	$(PYTEST) -n 0 -m browser tests/page

docs: setup ## regenerate the tables and pictures of the documents
	@set -e; for script in docs/scripts/[a-z]*.py; do \
		[ -e "$$script" ] || continue; echo "$$script"; $(BIN)/python "$$script"; done

site: setup ## build the documentation into build/site, warnings are errors
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs]'
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs build/site
	@echo 'Open build/site/index.html'

clean: ## remove caches and built files (delete .venv and runs by hand)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis lightning_logs
	find src tests benchmarks examples docs -name __pycache__ -type d -prune -exec rm -rf {} +
