# `make` or `make help` lists what there is. Everything is installed below .venv and .cache; outside, pip and
# uv keep what they download in their own caches.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
SAM := .cache/sam/bin/sam
ENVIRONMENT ?= default
export SAM_CLI_TELEMETRY := 0
# uv trusts what the machine trusts, as pip does.
export UV_SYSTEM_CERTS := 1
# Python keeps what it has compiled, also where a machine says that it should not: each test process would do it anew.
unexport PYTHONDONTWRITEBYTECODE

# Lambda brings these itself, so the layer leaves them out.
LAMBDA_HAS := boto3 botocore s3transfer python-dateutil urllib3 six
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

## On a laptop

.PHONY: setup
setup: .venv/.stamp ## Install what the other targets need (they do so by themselves)

.PHONY: demo
demo: setup ## Show it at work on the local cloud: prices, listings, ads, product pages, eBay; then stop
	@$(BIN)/python -m local.demo

.PHONY: up
up: setup ## Start the local cloud and the sandbox until Ctrl-C; KEEP=1 keeps what is in it
	@KEEP=$(KEEP) $(BIN)/python -m local.up

.PHONY: invoke
invoke: setup ## Invoke a function of that local cloud: FUNCTION=worker EVENT=events/….json
	@$(BIN)/python -m local.invoke "$(FUNCTION)" "$(EVENT)"

.PHONY: test
test: setup ## Check formatting and types, then run every test; says what it skips, and why
	@$(MAKE) -j2 lint .cache/compiled
	@$(BIN)/python -m pytest -rs --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: test-fast
test-fast: setup ## Check formatting and types, then run what needs no local cloud and is no heavy proof
	@$(MAKE) -j2 lint .cache/compiled
	@SLUICE_EXAMPLES=30 $(BIN)/python -m pytest -rs --numprocesses auto --dist worksteal -m "not slow" tests/unit tests/property tests/infrastructure

# All test processes begin at once, and each would compile all tests. Here they are compiled once, while types are checked;
# what is wrong with them the run itself says.
.cache/compiled: .venv/.stamp
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 || true
	@mkdir -p .cache && touch $@

# Those that `make test` tries are the same each time (docs/adr/123-the-suite-gives-one-verdict.md).
EXAMPLES ?= 300
.PHONY: explore
explore: setup ## Try the tests of rules with other examples than `make test` does, EXAMPLES of each
	@SLUICE_RANDOM=1 SLUICE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -rs --numprocesses auto --dist worksteal -m hypothesis tests/unit tests/property tests/simulation

.PHONY: mutants
mutants: setup ## Put small faults into the engine, and see if its tests notice; FILES=queue SAMPLE=300 SEED=7 JOBS=2
	@nice $(BIN)/python -m tests.mutants

.PHONY: soak
soak: setup ## Simulate the whole of Sluice in all weathers: SEED=1 STEPS=1000000 SEEDS=1
	@PYTHONPATH=shared $(BIN)/python -m tests.soak --seed $(or $(SEED),1) --steps $(or $(STEPS),1000000) --seeds $(or $(SEEDS),1)

.PHONY: chaos
chaos: setup ## Kill functions and mix up messages on the local cloud, and see if all gets done; MINUTES=10 SEED=7
	@$(BIN)/python -m local.chaos

.PHONY: lint
lint: setup ## Check formatting, style and types
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy

.PHONY: format
format: setup ## Format the code and mend what can be mended by itself
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format

.PHONY: bench
bench: setup ## Measure units, calls, budgets, imports and delays; results go to bench/results
	@$(BIN)/python -m bench

.PHONY: collection
collection: setup ## Write docs/sluice.http, every request of the API, from the API's own document
	@PYTHONPATH=shared $(BIN)/python -m local.collection

.PHONY: typescript
typescript: .cache/typescript/.stamp ## Install the TypeScript generator, so that the tests also try a client of that kind; needs Node

## Against a stage: that of `make up`, the one that `.venv/bin/sluice use` has chosen, or that of API and TOKEN

.PHONY: golden
golden: setup ## Price the ten SKUs of the golden set on a stage, and show which worked
	@$(BIN)/sluice golden

.PHONY: enrich
enrich: setup ## Fill the gaps of a stage's catalog, and renew what is old
	@$(BIN)/sluice enrich

## For AWS

.PHONY: validate
validate: setup .cache/sam/.stamp ## Check template.yaml with SAM's own linter
	@AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint

.PHONY: scan
scan: setup .cache/checkov/.stamp ## Look for insecure settings in template.yaml, without a network
	@$(BIN)/python -c 'import json; from local.cloud.template import load; print(json.dumps(load()))' > .cache/template.json
	@.cache/checkov/bin/checkov --config-file .checkov.yaml | tee .cache/checkov.log
	@grep -Eq '^Passed checks: [1-9][0-9]*, Failed checks: 0, Skipped checks: [0-9]+$$' .cache/checkov.log || { \
		echo "checkov could not read the template" >&2; exit 1; }

# Never --cached: its hash does not see shared/, and old code would be shipped.
.PHONY: build
build: setup .cache/sam/.stamp ## Build the functions and the common layer for Lambda
	@$(SAM) build --language-extensions

.PHONY: deploy
deploy: build ## Deploy to AWS; ENVIRONMENT=dev or prod picks the settings in samconfig.toml
	@$(SAM) deploy --config-env $(ENVIRONMENT)

## Upkeep

.PHONY: lock
lock: setup ## Renew every requirement lock
	@$(LOCK) requirements/dev.in -o requirements/dev.txt
	@$(LOCK) -c requirements/dev.txt $(LAMBDA_HAS:%=--no-emit-package %) \
		layers/common/requirements.in -o layers/common/requirements.txt
	@$(LOCK) -c requirements/dev.txt requirements/uv.in -o requirements/uv.txt
	@$(LOCK) requirements/sam.in -o requirements/sam.txt
	@$(LOCK) requirements/checkov.in -o requirements/checkov.txt

.PHONY: clean
clean: ## Remove everything that was installed or built
	@rm -rf .venv .cache .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .hypothesis

# $(call environment,FOLDER,LOCK): a virtual environment that holds exactly what the lock lists.
define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Sluice needs Python 3.11 or newer. Where is it? make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@[ -x $(1)/bin/python ] || $(PYTHON) -m venv $(1) || { rm -rf $(1); \
		echo "Python could not make $(1). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing $(2) into $(1)"
	@if $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
			-r requirements/uv.txt 2>/dev/null \
			&& $(1)/bin/uv pip sync --quiet --python $(1)/bin/python --require-hashes $(2); then :; \
	else \
		echo "uv cannot do it on this machine; pip installs instead, which takes a minute"; \
		$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2); \
	fi
endef

.cache/typescript/.stamp: tests/clients/typescript/package-lock.json
	@command -v npm >/dev/null || { echo "this needs Node 20 or newer, with npm" >&2; exit 1; }
	@mkdir -p .cache/typescript && cp tests/clients/typescript/package*.json .cache/typescript
	@cd .cache/typescript && npm ci --silent
	@touch $@

# The command is installed as it stands here, so that a change of it needs no setup.
INSTALL_COMMAND := --quiet --no-deps --no-build-isolation --editable .

.venv/.stamp: requirements/dev.txt pyproject.toml
	$(call environment,.venv,requirements/dev.txt)
	@$(BIN)/uv pip install --python .venv $(INSTALL_COMMAND) 2>/dev/null \
		|| $(BIN)/python -m pip install --disable-pip-version-check $(INSTALL_COMMAND)
	@touch $@

.cache/sam/.stamp: requirements/sam.txt
	$(call environment,.cache/sam,requirements/sam.txt)
	@touch $@

.cache/checkov/.stamp: requirements/checkov.txt
	$(call environment,.cache/checkov,requirements/checkov.txt)
	@touch $@
