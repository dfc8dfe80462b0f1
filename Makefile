# `make` alone lists the commands. Everything runs in .venv, which is made when it is missing.
PYTHON ?= python3
RUN = .venv/bin/python -m
INSTALLED = .venv/.installed
QUICK = not slow and not browser and not colab
.PHONY: help lab check test test-browser test-colab test-matrix run results page glossary setup address bench clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /make \1   	/'

lab: $(INSTALLED) ## open JupyterLab on chapter 01
	$(RUN) jupyterlab --LabApp.default_url=/lab/tree/notebooks/01_explore_the_data.ipynb

check: $(INSTALLED) ## check style, size and, in a minute, the code; run it before each commit
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) tests.size
	$(RUN) pytest tests -m "$(QUICK)"

test: $(INSTALLED) ## run all tests and, on a small sample, every notebook, side by side
	@mkdir -p build
	@$(RUN) pytest notebooks >build/notebooks.txt 2>&1 & notebooks=$$!; trap "kill $$notebooks" INT TERM; \
	$(RUN) pytest tests; code=$$?; wait $$notebooks; code=$$((code + $$?)); cat build/notebooks.txt; exit $$code

test-browser: $(INSTALLED) ## look at the notebooks in JupyterLab in a headless Chromium; pictures in build/browser
	$(RUN) pip install --quiet --disable-pip-version-check --requirement tests/clients/browser/requirements.txt
	$(RUN) pytest -m browser tests/clients/browser

test-colab: $(INSTALLED) ## run the quick tests and every chapter with Google Colab's Python and versions
	$(RUN) tests.support.matrix colab
	$(RUN) pytest -m colab tests/clients/test_colab.py

test-matrix: $(INSTALLED) ## run the quick tests with the oldest and with the newest versions allowed
	$(RUN) tests.support.matrix oldest newest

run: $(INSTALLED) ## execute all chapters in full into build/*.html
	$(RUN) nbconvert --to html --execute --output-dir build notebooks/[0-9A]*.ipynb

results: $(INSTALLED) ## write the README's tables and picture from the recorded runs
	$(RUN) tools.readme

page: $(INSTALLED) ## write a page that runs the network in a browser, without a server: build/page.html
	$(RUN) tools.page

glossary: $(INSTALLED) ## write notebooks/glossary.md from the terms that the chapters set in bold
	$(RUN) tools.glossary

setup: $(INSTALLED) ## put the template's Setup cell into every notebook
	$(RUN) tools.store setup

address: $(INSTALLED) ## write the repository's address everywhere: make address REPO=owner/name
	$(RUN) tools.address $(REPO)

bench: $(INSTALLED) ## measure side by side, one benchmark after another
	for name in harness_cost augmentation training_step; do \
		PYTHONPATH=. .venv/bin/python benchmarks/$$name.py || exit 1; \
	done

clean: ## remove what runs leave (.venv and the data stay)
	rm -rf build .pytest_cache .ruff_cache

$(INSTALLED): requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here: get Python 3.11, 3.12 or 3.13 from python.org." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "Python %d.%d does not fit: get 3.11, 3.12 or 3.13 from python.org, then: make lab PYTHON=python3.12" % v)'
	@echo "Installing requirements.txt into .venv: about 3 GB, some minutes the first time."
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(RUN) pip install --disable-pip-version-check --requirement requirements.txt
	@touch $@
