# `make` alone lists the commands. Everything runs in .venv, which is made when it is missing.
PYTHON ?= python3
RUN = .venv/bin/python -m
INSTALLED = .venv/.installed
QUICK = not slow and not browser and not colab
SPHINX = build/site-env/bin/python -m sphinx -q -c docs -d build/trees
CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
.PHONY: help lab check test test-browser test-colab test-matrix page site links results lock setup address bench clean

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
	@$(RUN) pytest notebooks/*.ipynb >build/chapters.txt 2>&1 & chapters=$$!; trap "kill $$chapters" INT TERM; \
	$(RUN) pytest tests notebooks/solutions notebooks/template; code=$$?; \
	wait $$chapters; code=$$((code + $$?)); cat build/chapters.txt; exit $$code

test-browser: $(INSTALLED) ## look at the notebooks in JupyterLab in a headless Chromium; pictures in build/browser
	$(RUN) pip install --quiet --disable-pip-version-check --requirement tests/clients/browser/requirements.txt
	$(RUN) pytest -m browser tests/clients/browser

test-colab: $(INSTALLED) ## run the quick tests and every chapter with Google Colab's Python and versions
	$(RUN) tests.support.matrix colab
	$(RUN) pytest -m colab tests/clients/test_colab.py

test-matrix: $(INSTALLED) ## run the quick tests with the oldest, the newest, the tested and Colab's past versions
	$(RUN) tests.support.matrix oldest newest tested colab-2026.07

site: page build/book ## build the website into build/site, with an EPUB and, where a Chromium is, a PDF
	$(SPHINX) -W --keep-going -b epub build/book build/epub
	$(SPHINX) -W --keep-going -b html build/book build/site
	cp build/epub/*.epub build/site/cifar10-tutorial.epub
	rm -rf build/site/page && cp -R build/page build/site/page
	if [ -n "$(CHROMIUM)" ]; then $(SPHINX) -b singlehtml build/book build/single && \
		$(CHROMIUM) --headless --no-sandbox --no-pdf-header-footer --virtual-time-budget=20000 \
		--print-to-pdf=build/site/cifar10-tutorial.pdf build/single/index.html 2>build/pdf.txt; fi

links: build/book ## try every link of the website, those to other sites too
	$(SPHINX) -b linkcheck build/book build/links

results: $(INSTALLED) ## write tables and pictures from the recorded runs: README, data/RESULTS.md, the model card
	$(RUN) tools.readme

page: $(INSTALLED) ## write a page that runs the network in a browser, without a server: build/page.html
	$(RUN) tools.page

lock: $(INSTALLED) ## run the quick tests with the newest versions, and write these to constraints.txt
	$(RUN) tests.support.matrix newest
	{ echo "# Tested together, by make lock:"; build/environments/newest/bin/python -m pip freeze; } >constraints.txt

setup: $(INSTALLED) ## put the template's Setup cell into every notebook
	$(RUN) tools.store setup

address: $(INSTALLED) ## write the repository's address everywhere: make address REPO=owner/name
	$(RUN) tools.address $(REPO)

bench: $(INSTALLED) ## measure side by side, one benchmark after another
	for name in harness_cost training_step; do \
		PYTHONPATH=. .venv/bin/python benchmarks/$$name.py || exit 1; \
	done

clean: ## remove what runs leave (.venv and the data stay)
	rm -rf build .pytest_cache .ruff_cache

build/book: build/site-env/.installed FORCE
	rm -rf build/book build/site
	mkdir -p build/book/data/models build/book/data/runs
	cp -R docs notebooks CHANGELOG.md build/book
	for folder in data data/models data/runs; do cp $$folder/*.md build/book/$$folder; done
	cp data/*.png data/*.jpg data/*.webp build/book/data
	{ sed -e '/<!-- badges:begin/,/badges:end -->/d' -e '/^The network of this/r docs/home.md' README.md; \
		cat docs/contents.md; } >build/book/index.md

build/site-env/.installed: docs/requirements.txt
	$(PYTHON) -m venv --clear build/site-env
	build/site-env/bin/python -m pip install --quiet --disable-pip-version-check --requirement docs/requirements.txt
	@touch $@

FORCE:

$(INSTALLED): requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here: get Python 3.11, 3.12 or 3.13 from python.org." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "Python %d.%d does not fit: get 3.11, 3.12 or 3.13 from python.org, then: make lab PYTHON=python3.12" % v)'
	@echo "Installing requirements.txt into .venv: about 3 GB, some minutes the first time."
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(RUN) pip install --disable-pip-version-check --requirement requirements.txt
	@touch $@
