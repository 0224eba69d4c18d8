# Every target sets up all that it needs: a machine with Python 3.11 or newer and make is enough.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   ?= demo-output

.PHONY: help install demo test slow lint types bench bench-gpu bench-fit models clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 18

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "galactions needs Python 3.11 or newer: none found on the PATH" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "galactions needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' --constraint constraints.txt
	@touch $@

install: $(STAMP)  ## the virtual environment .venv with the package (editable) and its tools

demo: $(STAMP)  ## a mock survey of the model Mc17a, fitted, with its report in demo-output/report.html
	$(BIN)/galactions demo --out $(DEMO)

test: $(STAMP)  ## the tests (the slow ones left out)
	$(BIN)/python -m pytest -n 2 --dist loadfile

slow: $(STAMP)  ## all tests, the slow ones too
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow or not slow"

lint: $(STAMP)  ## style and likely bugs (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## type annotations (mypy)
	$(BIN)/mypy

bench: $(STAMP)  ## times, memory and errors of the main tasks on this machine, beside galpy's and AGAMA's (ten minutes)
	$(BIN)/python -m benchmarks --out benchmarks/results/table_cpu.md

bench-gpu: $(STAMP)  ## the same on a CUDA device
	$(BIN)/python -m benchmarks --device gpu --out benchmarks/results/table_gpu.md

bench-fit: $(STAMP)  ## the fit of all 15 parameters to a mock survey (minutes)
	$(BIN)/python -m benchmarks.fit

models: $(STAMP)  ## the tables of docs/paper_models.md: all models of the paper, built and compared (many minutes)
	$(BIN)/python -m benchmarks.paper_models

clean:  ## remove the environment and everything that was generated
	rm -rf $(VENV) $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache
