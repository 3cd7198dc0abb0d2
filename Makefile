# make lab    JupyterLab on the first notebook      make test   everything that CI runs
# make demo   the same without a browser            make bench  every figure of the README
PYTHON ?= python3
BIN := .venv/bin
# Jupyter refuses to run as root unasked; in a container one is.
ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
READY := .venv/.ready

.PHONY: venv model models lab demo test lint unit bench clean

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
	$(BIN)/pytest --nbval-lax --nbval-cell-timeout=600 notebooks

bench: models
	for name in load rehearsal overhead cache; do $(BIN)/python -m benchmarks.$$name || exit 1; done

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
