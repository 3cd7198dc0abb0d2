# make lab    JupyterLab on the first notebook      make test   everything that CI runs
# make demo   the same without a browser            make bench  every figure of docs/measured.md
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

.PHONY: venv labextension browser model models lab demo test lint unit bench quality soak clean

venv: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@# What is built anew is what JupyterLab shows, without installing again.
	@$(BIN)/jupyter-builder develop --overwrite . >/dev/null
	@touch $(READY)

labextension: $(PANEL)

$(PANEL): $(SOURCES) | $(MODULES)
	$(JLPM) build:prod
	@touch $@

$(MODULES): labextension/package.json labextension/yarn.lock | $(READY)
	$(JLPM) install --immutable
	@touch $@

# For the tests in a browser, which drive the one that is installed.
browser:
	@for name in chromium chromium-browser google-chrome; do ! command -v $$name >/dev/null || exit 0; done; \
	test ! -d '/Applications/Google Chrome.app' || exit 0; \
	as_root=$$(test $$(id -u) = 0 || echo sudo); \
	command -v apt-get >/dev/null && $$as_root apt-get update --quiet && $$as_root apt-get install --quiet --yes chromium || \
		{ echo "The tests in a browser need Chromium or Google Chrome: install one of them."; exit 1; }

model: venv
	$(BIN)/llmos models pull

models: venv
	$(BIN)/llmos models pull qwen2.5-coder-0.5b
	$(BIN)/llmos models pull qwen2.5-coder-1.5b

lab: model labextension
	$(BIN)/jupyter lab $(ROOT) notebooks/01-first-steps.ipynb

demo: model
	$(BIN)/python notebooks/demo.py

lint: venv $(MODULES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(JLPM) check
	$(JLPM) lint
	@mkdir -p build && $(BIN)/python -m llmos_jupyter.daemon.openapi >build/openapi.json
	@$(JLPM) openapi-typescript ../build/openapi.json | diff src/schema.ts - || \
		{ echo "labextension/src/schema.ts is not what the daemon's routes say: cd labextension && jlpm types"; exit 1; }

unit: venv labextension
	$(JLPM) test
	$(BIN)/pytest -m "not model and not model_1_5b"

test: lint models labextension browser
	$(JLPM) test
	$(BIN)/pytest
	# Twice with one recording: the second time every answer is replayed, without a model.
	replay=$$(mktemp -u) && for pass in asked replayed; do \
		LLMOS_REPLAY=$$replay $(BIN)/pytest --nbval-lax --nbval-cell-timeout=600 notebooks || exit 1; done

bench: models
	for name in load rehearsal transaction overhead cache undo containment decision jobshop replanning workers mixed waiting sharing watching bundle panel sampling; do \
		$(BIN)/python -m benchmarks.$$name || exit 1; done

# Hours on two cores: each of 138 tasks is asked of a model, and of the next; then the questions of others, if
# LLMOS_QUESTIONS says in which folder they are.
quality: models
	for size in 0.5b 1.5b; do for set in dev reworded other; do $(BIN)/python -m benchmarks.quality run --resume \
		--model qwen2.5-coder-$$size --set $$set --out build/quality-$$size-$$set.jsonl || exit 1; done; done
	test -z "$$LLMOS_QUESTIONS" || for size in 0.5b 1.5b; do for way in bare loop; do \
		$(BIN)/python -m benchmarks.quality questions run --way $$way --model qwen2.5-coder-$$size \
		--out build/questions-$$size-$$way.jsonl || exit 1; done; $(BIN)/python -m benchmarks.quality questions report \
		build/questions-$$size-bare.jsonl build/questions-$$size-loop.jsonl || exit 1; done

soak: models
	$(BIN)/python -m benchmarks.soak

clean:
	rm -rf llmos_jupyter/labextension labextension/lib labextension/node_modules labextension/tsconfig.tsbuildinfo
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
