# `make` alone lists the commands. Everything runs in .venv, which is made when it is missing.
PYTHON ?= python3
RUN = .venv/bin/python -m
INSTALLED = .venv/.installed
.PHONY: help lab test test-browser test-colab test-matrix run lint results glossary bench stamp clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /make \1   	/'

lab: $(INSTALLED) ## open JupyterLab on chapter 01
	$(RUN) jupyterlab notebooks/01_explore_the_data.ipynb

test: $(INSTALLED) ## run the tests and, on a small sample, every notebook
	$(RUN) pytest

test-browser: $(INSTALLED) ## run every notebook in JupyterLab in a headless Chromium; pictures in build/browser
	$(RUN) pip install --quiet --disable-pip-version-check --requirement tests/clients/browser/requirements.txt
	$(RUN) pytest -m browser tests/clients/browser

test-colab: $(INSTALLED) ## run the unit tests and every chapter with Google Colab's Python and versions
	$(RUN) tests.support.matrix colab
	$(RUN) pytest -m colab tests/clients/test_colab.py

test-matrix: $(INSTALLED) ## run the unit tests with the oldest and with the newest versions allowed
	$(RUN) tests.support.matrix oldest newest

run: $(INSTALLED) ## execute all chapters in full into build/*.html
	$(RUN) tools.store html

lint: $(INSTALLED) ## check the style of code, tests and notebooks
	$(RUN) ruff check && $(RUN) ruff format --check

results: $(INSTALLED) ## write the README's tables and picture from the recorded runs
	$(RUN) tools.readme

glossary: $(INSTALLED) ## write notebooks/glossary.md from the terms that the chapters set in bold
	$(RUN) tools.glossary

bench: $(INSTALLED) ## measure side by side, one benchmark after another
	for name in load_data harness_cost augmentation training_step exports; do \
		PYTHONPATH=. .venv/bin/python benchmarks/$$name.py || exit 1; \
	done

stamp: $(INSTALLED) ## write the repository's address into badges and Setup cells
	$(RUN) tools.store stamp

clean: ## remove what runs leave (.venv and the data stay)
	rm -rf build .pytest_cache .ruff_cache

$(INSTALLED): requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here: get Python 3.11, 3.12 or 3.13 from python.org." >&2; exit 1; }
	@$(PYTHON) helpers/install.py
