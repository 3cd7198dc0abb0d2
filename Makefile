# What there is to make: `make help`, from the words behind each target's `##`.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Jupyter refuses to run as root unasked; in a container one is.
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
READY := .venv/.ready

# The side panel. The environment has Node.js and JupyterLab's package manager.
PANEL := llmos_jupyter/labextension/package.json
MODULES := labextension/node_modules/.yarn-state.yml
SOURCES := $(wildcard labextension/*.json labextension/yarn.lock) \
	$(shell find labextension/src labextension/style labextension/schema -type f)
JLPM := cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm

# Hundreds of processes of the tests would each compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv labextension browser model models lab demo check lint lint-python lint-panel panel unit python-tests test test-all \
	model-tests notebooks bench quality soak clean

# Tests that need no model run beside each other, a file at a time; how many at once.
TESTS_AT_ONCE ?= 3
SIDE_BY_SIDE := -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(READY) ## the environment, .venv

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@# What is built anew is what JupyterLab shows, without installing again.
	@$(BIN)/jupyter-builder develop --overwrite . >/dev/null
	@touch $(READY)

labextension: $(PANEL) ## the side panel, from its TypeScript

$(PANEL): $(SOURCES) | $(MODULES)
	$(JLPM) build:prod
	@touch $@

$(MODULES): labextension/package.json labextension/yarn.lock | $(READY)
	$(JLPM) install --immutable
	@touch $@

browser: ## Chromium for the tests that drive one, if none is installed
	@for name in chromium chromium-browser google-chrome; do ! command -v $$name >/dev/null || exit 0; done; \
	test ! -d '/Applications/Google Chrome.app' || exit 0; \
	as_root=$$(test $$(id -u) = 0 || echo sudo); \
	command -v apt-get >/dev/null && $$as_root apt-get update --quiet && $$as_root apt-get install --quiet --yes chromium || \
		{ echo "The tests in a browser need Chromium or Google Chrome: install one of them."; exit 1; }

model: venv ## the model that fits this machine
	$(BIN)/llmos models pull

models: venv ## both models of the tests (1.6 GB)
	$(BIN)/llmos models pull qwen2.5-coder-0.5b
	$(BIN)/llmos models pull qwen2.5-coder-1.5b

lab: model labextension ## JupyterLab on the first notebook
	$(BIN)/jupyter lab $(ROOT) notebooks/01-first-steps.ipynb

demo: model ## the same without a browser: requests, code, results, times
	$(BIN)/python notebooks/demo.py

check: venv ## before a commit, in a minute: style, types, and the quick tests of what was changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -x -m "not model and not model_1_5b" $$($(BIN)/python -m tests.changed)

lint: lint-python lint-panel ## style and types of Python and TypeScript; are the panel's types the daemon's?

lint-python: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-panel: venv $(MODULES)
	$(JLPM) check
	$(JLPM) lint
	@mkdir -p build && $(BIN)/python -m llmos_jupyter.daemon.openapi >build/openapi.json
	@$(JLPM) openapi-typescript ../build/openapi.json | diff src/schema.ts - || \
		{ echo "labextension/src/schema.ts is not what the daemon's routes say: cd labextension && jlpm types"; exit 1; }

panel: venv $(MODULES) ## the side panel's own tests
	$(JLPM) test

unit: panel python-tests ## all tests but those that run a model

python-tests: venv labextension
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not model and not model_1_5b"

model-tests: models labextension browser ## the tests that run a model, one after the other
	$(BIN)/pytest -m "model or model_1_5b"

notebooks: models ## the teaching notebooks, asked of a model, and replayed without one
	@# Twice with one recording: the second time every answer is replayed.
	replay=$$(mktemp -u) && for pass in asked replayed; do \
		LLMOS_REPLAY=$$replay $(BIN)/pytest --nbval-lax --nbval-cell-timeout=600 notebooks || exit 1; done

test: venv models browser ## everything that CI runs
	$(MAKE) --jobs=2 labextension lint-python lint-panel panel
	$(MAKE) python-tests
	$(MAKE) model-tests
	$(MAKE) notebooks

test-all: ## the same with as many random examples as ever (see tests/examples.py)
	LLMOS_EXAMPLES=all $(MAKE) test

bench: models ## the figures of docs/measured.md, but for the next two
	for name in load rehearsal transaction overhead cache undo containment decision jobshop replanning workers mixed waiting sharing watching bundle panel sampling neighbours; do \
		$(BIN)/python -m benchmarks.$$name || exit 1; done

# Hours on two cores: each of 138 tasks is asked of a model, and of the next; then the questions of others, if
# LLMOS_QUESTIONS says in which folder they are.
quality: models ## how many tasks each model solves alone and in the loop; hours
	for size in 0.5b 1.5b; do for set in dev reworded other; do $(BIN)/python -m benchmarks.quality run --resume \
		--model qwen2.5-coder-$$size --set $$set --out build/quality-$$size-$$set.jsonl || exit 1; done; done
	test -z "$$LLMOS_QUESTIONS" || for size in 0.5b 1.5b; do for way in bare loop; do \
		$(BIN)/python -m benchmarks.quality questions run --way $$way --model qwen2.5-coder-$$size \
		--out build/questions-$$size-$$way.jsonl || exit 1; done; $(BIN)/python -m benchmarks.quality questions report \
		build/questions-$$size-bare.jsonl build/questions-$$size-loop.jsonl || exit 1; done

soak: models ## 500 requests with random kills; an hour or two
	$(BIN)/python -m benchmarks.soak

clean: ## without the environment and all that was built
	rm -rf llmos_jupyter/labextension labextension/lib labextension/node_modules labextension/tsconfig.tsbuildinfo
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
