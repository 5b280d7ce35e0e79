# Everything a person types. `make help` lists it.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# SIMULATE_WEB=1 adds simulated browsing to the demo, whose data come from stores.
SIMULATED_WEB := data/simulated_web/vars.yml
ifeq ($(SIMULATE_WEB),1)
SETTINGS := $(SIMULATED_WEB)
build: $(SIMULATED_WEB)
endif

# A shop of its own settings has a warehouse of its own, beside them.
WAREHOUSE_PATH ?= $(if $(SETTINGS),$(SETTINGS:.yml=.duckdb),data/warehouse.duckdb)

# Nothing reports home, and a deprecated setting of the shell stays out of the build.
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export WAREHOUSE_PATH
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export DAGSTER_HOME := $(CURDIR)/.dagster_home
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## List the commands.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# -- Environment ----------------------------------------------------------------

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: environment
environment: $(VENV)/.installed ## Create the virtual environment from the lock file.

.PHONY: lock
lock: ## Renew requirements.lock from pyproject.toml (needs uv).
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-strip-extras --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --output-file requirements.lock

# -- Warehouse ------------------------------------------------------------------

.PHONY: build
build: environment ## Build and test the whole warehouse, then show where it is (SETTINGS=file of vars).
	dbt build $(if $(SETTINGS),--vars "$$(cat '$(SETTINGS)')")
	$(if $(SETTINGS),,@touch $(WAREHOUSE_PATH) $(WAREHOUSE_PATH).tested)
	@python -m warehouse.overview
	@python -m warehouse.readme_queries show --first 3

$(SIMULATED_WEB): | environment
	python -m simulation web-for-demo --out $(@D)

CUSTOMERS ?= 10000
DAYS ?= 90
SEED ?= 1
OUT ?= data/simulated
SIZE = $(if $(EVENTS),--events $(EVENTS),--customers $(CUSTOMERS))

.PHONY: simulate
simulate: environment ## Simulate a shop of CUSTOMERS or EVENTS, DAYS, SEED in the folder OUT.
	python -m simulation shop $(SIZE) --days $(DAYS) --seed $(SEED) --out $(OUT)

PROJECT_FILES := dbt_project.yml profiles.yml $(shell find models macros python_models tests/data \
	-name '*.sql' -o -name '*.yml' -o -name '*.csv' -o -name '*.py')

# What pytest looks at: built, and with it tested by dbt, anew when it is older than the code that
# makes it. A build that fails leaves no mark behind.
$(WAREHOUSE_PATH).tested: $(PROJECT_FILES) | environment
	dbt build
	@touch $(WAREHOUSE_PATH) $@

.PHONY: validate
validate: environment ## Try the data of a source without a build: SOURCE=custom, ... (SETTINGS=file).
	@python -m warehouse.validate $(SOURCE) $(if $(SETTINGS),--vars "$$(cat '$(SETTINGS)')")

.PHONY: checksum
checksum: environment ## Print a checksum of every table.
	python -m warehouse.checksum $(WAREHOUSE_PATH)

.PHONY: docs
docs: environment ## Write the dbt documentation to target/static_index.html.
	dbt docs generate --static

$(DAGSTER_HOME)/dagster.yaml: orchestration/dagster.yaml
	@mkdir -p $(DAGSTER_HOME)
	@cp $< $@

.PHONY: ui
ui: environment $(DAGSTER_HOME)/dagster.yaml ## Open the Dagster asset graph on http://127.0.0.1:3000.
	@dagster instance concurrency set duckdb_writer 1
	dg dev --host 127.0.0.1

# -- Checks ---------------------------------------------------------------------

.PHONY: lint
lint: environment $(DAGSTER_HOME)/dagster.yaml ## Check style, types and house rules.
	ruff check .
	ruff format --check .
	mypy
	WAREHOUSE_PATH=target/lint.duckdb sqlfluff lint models tests/data
	dbt parse
	dbt-bouncer
	python -m warehouse.contract_document check
	dg check defs

.PHONY: test
test: lint $(WAREHOUSE_PATH).tested ## Run every check: lint, types, dbt tests and pytest.
	pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: readme
readme: environment ## Renew the answers to the queries in the README.
	python -m warehouse.readme_queries update

.PHONY: contract
contract: environment ## Renew docs/input-layer.md, the contract that a shop's data must keep.
	python -m warehouse.contract_document update

.PHONY: bench
bench: environment ## Compare the warehouse with pandas and scikit-learn.
	python -m benchmarks.sql_core
	python -m benchmarks.item_similarity

.PHONY: clean
clean: ## Remove everything that was built, but not the environment.
	rm -rf target logs data .dagster_home
