# Every target sets up what it needs; nothing has to be installed by hand but Python, Node and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STATIC := src/clio/server/static/index.html
RUN    ?= clio-demo
# Real data sets, where they lie beside the checkout
DATA   ?= ../shared/data
RESULTS := benchmarks/results

.DEFAULT_GOAL := help
.PHONY: help demo test check format web browser clean accept-quality accept-languages accept-runtime accept-scale accept-reading accept-crash accept-disk accept-fuzz accept-models accept-model-speed accept-estimate accept-small-model accept-compare accept-explorer screenshots accept-dp accept-attack accept-canaries accept-poisoning

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

screenshots: $(VENV)/.installed-dev $(STATIC) browser  ## Take the pictures of the explorer that README and documentation show
	$(BIN)/clio demo --out $(RESULTS)/screenshots --no-serve --quiet
	$(BIN)/python scripts/screenshot.py $(RESULTS)/screenshots/run-*

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

accept-quality: $(VENV)/.installed-dev  ## Leaf clusters against the labels of CLINC150
	$(BIN)/clio run $(DATA)/clinc150.jsonl.gz --out $(RESULTS)/clinc150 --quiet
	$(BIN)/python benchmarks/quality/labelled.py $(RESULTS)/clinc150 $(DATA)/clinc150.jsonl.gz

accept-languages: $(VENV)/.installed-dev  ## Clusters against topics and against languages, fifteen languages
	$(BIN)/python benchmarks/quality/multilingual.py

accept-runtime: $(VENV)/.installed-dev .venv-bertopic/.installed  ## A whole run against BERTopic's fit alone
	$(BIN)/python benchmarks/runtime.py $(DATA)/clinc150.jsonl.gz --bertopic-python .venv-bertopic/bin/python

accept-scale: $(VENV)/.installed-dev  ## Cost of a conversation at 10,000 and at 100,000
	$(BIN)/python benchmarks/runtime.py --scale

accept-reading: $(VENV)/.installed-dev  ## A million rows read, accounted and written, beside polars and pandas
	$(BIN)/python benchmarks/reading.py --folder $(RESULTS)/reading

accept-crash: $(VENV)/.installed-dev  ## Twenty kills at random moments of each stage, then the same bytes
	$(BIN)/python benchmarks/soundness/crash.py --folder $(RESULTS)/crash

accept-disk: $(VENV)/.installed-dev  ## A disk that fills up at ten random moments, then the same bytes
	$(BIN)/python benchmarks/soundness/disk.py --folder $(RESULTS)/disk

accept-explorer: $(VENV)/.installed-dev $(STATIC) browser  ## The explorer on a release of 10,000 clusters: first view, map, search, load, static site
	$(BIN)/python benchmarks/explorer/accept.py --folder $(RESULTS)/explorer

accept-fuzz: $(VENV)/.installed-dev  ## 10,000 damaged inputs: no traceback, no row lost, memory bounded
	$(BIN)/python benchmarks/soundness/fuzz.py --folder $(RESULTS)/fuzz

accept-attack: $(VENV)/.installed-dev  ## The attack by subtraction on releases of real data
	$(BIN)/python benchmarks/privacy/attack.py $(DATA)

accept-dp: $(VENV)/.installed-dev  ## Differential privacy: does it keep its epsilon, and what are its counts worth
	$(BIN)/python benchmarks/privacy/differential.py --folder $(RESULTS)/differential

accept-models: $(VENV)/.installed-dev  ## Runs with a stand-in model: faults, kills, fifteen languages
	$(BIN)/python benchmarks/models/faults.py --folder $(RESULTS)/model-faults
	$(BIN)/python benchmarks/models/kills.py --folder $(RESULTS)/model-kills
	$(BIN)/python benchmarks/models/reconstruction.py --folder $(RESULTS)/reconstruction

accept-model-speed: $(VENV)/.installed-dev .venv-kura/.installed  ## Calls a second beside a bare loop over the same SDK, kura, and the ideal
	$(BIN)/python benchmarks/models/throughput.py --kura-python .venv-kura/bin/python

.venv-kura/.installed:
	$(PYTHON) -m venv .venv-kura
	.venv-kura/bin/pip install --quiet kura==0.5.4
	@touch $@

accept-estimate: $(VENV)/.installed-dev  ## What clio estimate says beside what the run then costs
	$(BIN)/python benchmarks/models/estimate.py $(wildcard $(DATA)/*.jsonl.gz)

accept-small-model: $(VENV)/.installed-dev  ## 200 conversations through a real, small model's server, killed once
	$(BIN)/python benchmarks/models/small_model.py $(DATA)/hh_harmless.jsonl.gz --venv .venv-llama --folder $(RESULTS)/small-model

accept-canaries: $(VENV)/.installed-dev  ## 1,000 planted details: none comes out, which layer stops which, the table of stages
	$(BIN)/python benchmarks/privacy/canaries.py --folder $(RESULTS)/canaries
	$(BIN)/python benchmarks/privacy/stages.py --folder $(RESULTS)/stages

accept-poisoning: $(VENV)/.installed-dev  ## 500 attacks of each variant on what a release says of a target
	$(BIN)/python benchmarks/privacy/poisoning.py --folder $(RESULTS)/poisoning

accept-compare: $(VENV)/.installed-dev .venv-bertopic/.installed  ## Clusters beside k-means, Ward and BERTopic
	$(BIN)/python benchmarks/quality/compare.py $(DATA)/clinc150.jsonl.gz --bertopic-python .venv-bertopic/bin/python

accept-flags: $(VENV)/.installed-dev  ## Known misses and false alarms of a classifier, found
	$(BIN)/python benchmarks/safety/flags.py $(DATA)/hh_harmless.jsonl.gz $(DATA)/wildchat_agency_a.jsonl.gz
	$(BIN)/python benchmarks/safety/flags.py $(DATA)/hh_harmless.jsonl.gz $(DATA)/wildchat_agency_a.jsonl.gz --concern rules

accept-networks: $(VENV)/.installed-dev  ## Planted rings and look-alikes; networks where there are none
	$(BIN)/python benchmarks/safety/coordination.py --rows 100000
	$(BIN)/python benchmarks/safety/permuted.py --rows 10000 --repetitions 200
	$(BIN)/python benchmarks/safety/permuted.py --ordinary 20 --rows 4000
	$(BIN)/python benchmarks/safety/lookalikes.py --plantings 500
	$(BIN)/python benchmarks/safety/real.py $(DATA)/hh_harmless.jsonl.gz $(DATA)/wildchat_agency_a.jsonl.gz

.venv-bertopic/.installed:
	$(PYTHON) -m venv .venv-bertopic
	.venv-bertopic/bin/pip install --quiet torch==2.13.0
	.venv-bertopic/bin/pip install --quiet bertopic==0.17.4
	@touch $@

clean:  ## Remove what was built
	rm -rf $(VENV) web/node_modules src/clio/server/static dist build clio-demo
