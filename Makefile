# Everything here works on a machine with Python 3.11 to 3.13, git and make; the first target that needs it makes .venv/.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test test-all test-browser bench lab notebooks docs lint venv clean
.DEFAULT_GOAL := run

venv: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "backfill needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) -e ".[dev]"
	@touch $@

.venv/.notebooks: .venv/.installed
	$(INSTALL) -e ".[dev,notebooks]"
	@touch $@

.venv/.docs: .venv/.installed
	$(INSTALL) -e ".[dev,docs]"
	@touch $@

.venv/.bench: .venv/.installed
	$(INSTALL) -e ".[dev,bench]"
	@touch $@

run: .venv/.installed
	$(BIN)/backfill run experiments/allied-alignment.toml

lint: .venv/.installed
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	$(BIN)/pyright

# Compiling is most of it: code that is not optimised is there in half the time. `make test-all` runs what users run.
test: .venv/.installed
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	XLA_FLAGS=--xla_backend_optimization_level=0 $(BIN)/python -m pytest -n 2 -m "not slow and not browser"

test-all: .venv/.installed
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -n 2 -m "not browser"
	$(MAKE) test-browser notebooks

test-browser: .venv/.notebooks
	@missing=""; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  command -v google-chrome >/dev/null || missing="chromium"; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then echo "browser tests not run: missing $$missing (apt install chromium npm)"; exit 1; fi
	$(BIN)/python -m pytest -m browser

bench: .venv/.bench
	$(BIN)/python tests/bench.py

lab: .venv/.notebooks
	$(BIN)/jupyter lab notebooks/01_start_here.ipynb --LabApp.news_url=None \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

notebooks: .venv/.notebooks
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 --durations=0 notebooks

docs: .venv/.docs
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees docs build/docs
	@echo "open build/docs/index.html"

clean:
	rm -rf build dist results
