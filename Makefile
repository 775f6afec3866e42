# Two commands: `make up` and `make test`. `make help` names the rest.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
UV_VERSION := 0.13.8
PACKAGES := pyproject.toml uv.lock $(wildcard */pyproject.toml packages/*/pyproject.toml services/*/pyproject.toml)

.PHONY: help install up down test cluster-test check lint types generated bench bench-inference soak bench-payment bench-mesh faults fuzz fuzz-refresh parity parity-refresh parity-fields load price screenshots format
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Inkmesh needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)

.venv/.installed: $(PACKAGES) | $(UV)
	$(UV) sync --frozen --no-dev --inexact
	@touch $@

.venv/.developing: .venv/.installed
	$(UV) sync --frozen
	@touch $@

install: .venv/.installed ## prepare .venv, with .venv/bin/inkmesh, and nothing more

up: .venv/.installed ## start everything on http://localhost:8080 (ARGS="--port 9000 --detach")
	@$(BIN)/inkmesh up $(ARGS)

down: .venv/.installed ## stop what `up` started
	@$(BIN)/inkmesh down

test: .venv/.developing ## all tests that need no cluster (ARGS="-k ledger")
	$(BIN)/pytest $(ARGS)

cluster-test: .venv/.developing ## the tests of a cluster: needs KUBECONFIG, INGRESS_URL, and the images inkmesh/…:dev there
	INKMESH_TIER=cluster $(BIN)/pytest tests/cluster tests/e2e $(ARGS)

check: lint types generated test ## what CI runs: lint, format, types, generated files, tests

lint: .venv/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.developing
	$(BIN)/mypy $(wildcard */src packages/*/src services/*/src)

generated: .venv/.developing ## make the generated files again and compare
	packages/contracts/generate.sh
	$(BIN)/python tests/diagram.py docs/topology.svg
	git diff --exit-code -- packages/contracts docs/topology.svg

format: .venv/.developing ## put code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.developing ## paid readings a second, beside a FastAPI + httpx gateway, in one run
	$(BIN)/python loadtest/bench_readings.py $(ARGS)

bench-inference: .venv/.developing ## one row and batches beside MLServer and KServe, in their own environments
	$(BIN)/python loadtest/bench_inference.py $(ARGS)

soak: .venv/.developing ## inference for an hour: its memory stays flat (ARGS="--minutes 10")
	$(BIN)/python loadtest/soak_inference.py $(ARGS)

bench-payment: .venv/.developing ## durable ledger transactions a second beside fsync, SQLAlchemy's async ORM and a constant gRPC answer
	$(BIN)/python loadtest/bench_payment.py $(ARGS)

bench-mesh: .venv/.developing ## the laptop mesh: changes under load, and what it costs (ARGS="--only changes")
	$(BIN)/python loadtest/bench_mesh.py $(ARGS)

parity: .venv/.developing ## localmesh's translation beside what istiod answered (ARGS="-k retries")
	$(BIN)/pytest tests/parity $(ARGS)

parity-refresh: .venv/.developing ## ask istiod anew, and show what changed (ORACLE=PATH ARGS="CASE …", without: all)
	$(BIN)/python tests/parity/refresh.py --oracle $(ORACLE) $(or $(ARGS),--all)
	git diff --stat -- tests/parity/expected

parity-fields: .venv/.developing ## the table of Istio's fields, localmesh/FIELDS.md
	$(BIN)/python tests/parity/fields.py >localmesh/FIELDS.md

fuzz: .venv/.developing ## 2,000 random documents against a real istiod (ORACLE=PATH)
	ORACLE=$(ORACLE) $(BIN)/python tests/fuzz/run.py $(ARGS)

fuzz-refresh: .venv/.developing ## ask istiod about the recorded random documents anew (ORACLE=PATH)
	ORACLE=$(ORACLE) $(BIN)/python tests/fuzz/run.py --record

faults: .venv/.developing ## the ledger under fire, for as long as it takes (ARGS="--kills 10 --operations 1000": less of it)
	$(BIN)/python services/payment/tests/faults/run.py $(ARGS)

.venv/.loading: .venv/.installed
	$(UV) sync --frozen --no-dev --inexact --group load --group report
	@touch $@

load: .venv/.loading ## load the running copy, with a report (SHAPE=steps|spike|soak|breakpoint ARGS="--rate 60")
	$(BIN)/inkmesh load $(or $(SHAPE),steps) $(ARGS)

price: .venv/.loading ## what each policy of the mesh costs, as ratios in one table
	$(BIN)/inkmesh load price $(ARGS)

screenshots: .venv/.developing ## the README's pictures, from the running product
	$(BIN)/python tests/browser/screenshots.py $(ARGS)
