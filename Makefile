# Every target sets up what it needs; nothing has to be installed by hand but Python, Node and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STATIC := src/clio/server/static/index.html
RUN    ?= clio-demo

.DEFAULT_GOAL := help
.PHONY: help demo test check format web browser clean accept-scale accept-runtime accept-crash

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: $(VENV)/.installed $(STATIC)  ## Set up, run Clio on generated conversations and open the explorer
	$(BIN)/clio demo --out $(RUN)

test: $(VENV)/.installed-dev $(STATIC) browser check  ## Set up, then linter, types, import rules and all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.installed-dev web/node_modules/.installed  ## Linter, formatter, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && npm run --silent check

format: $(VENV)/.installed-dev  ## Format the Python code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: web/node_modules/.installed  ## Build the explorer's page
	cd web && npm run --silent build

browser:  ## Install Debian's chromium for the browser tests, where there is none
	@scripts/install_browser.sh

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml requirements/constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements/constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint requirements/constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed

web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm ci --silent --no-audit --no-fund
	@touch $@

$(STATIC): web/node_modules/.installed $(shell find web/src web/public web/*.* -type f 2>/dev/null)
	cd web && npm run --silent build

clean:  ## Remove what was built
	rm -rf $(VENV) web/node_modules src/clio/server/static dist build clio-demo
