# make lab    JupyterLab on the first notebook      make test   everything that CI runs
# make demo   the same without a browser            make bench  every figure of the README
PYTHON ?= python3
BIN := .venv/bin
# Jupyter refuses to run as root unasked; in a container one is.
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
READY := .venv/.ready

.PHONY: venv model models lab demo test lint unit bench quality soak clean

venv: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing: on Debian and Ubuntu, apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $(READY)

model: venv
	$(BIN)/llmos models pull

models: venv
	$(BIN)/llmos models pull qwen2.5-coder-0.5b
	$(BIN)/llmos models pull qwen2.5-coder-1.5b

lab: model
	$(BIN)/jupyter lab $(ROOT) notebooks/01-first-steps.ipynb

demo: model
	$(BIN)/python notebooks/demo.py

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: venv
	$(BIN)/pytest -m "not model and not model_1_5b"

test: lint models
	$(BIN)/pytest
	# Twice with one recording: the second time every answer is replayed, without a model.
	replay=$$(mktemp -u) && for pass in asked replayed; do \
		LLMOS_REPLAY=$$replay $(BIN)/pytest --nbval-lax --nbval-cell-timeout=600 notebooks || exit 1; done

bench: models
	for name in load rehearsal overhead cache undo containment decision jobshop replanning workers mixed waiting sharing; do \
		$(BIN)/python -m benchmarks.$$name || exit 1; done

# Hours on two cores: each of 138 tasks is asked of a model, and of the next.
quality: models
	for size in 0.5b 1.5b; do for set in dev validation heldout; do $(BIN)/python -m benchmarks.quality run --resume \
		--model qwen2.5-coder-$$size --set $$set --out build/quality-$$size-$$set.jsonl || exit 1; done; done

soak: models
	$(BIN)/python -m benchmarks.soak

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
