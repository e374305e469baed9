# Roundsman: what a newcomer guesses.  `make run` needs only python3, python3-venv and make.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
POSTGRES := $(wildcard tests/test_desk_*.py tests/test_api_*.py tests/test_notices*.py tests/test_incident*.py) \
  $(wildcard tests/test_people_*.py tests/test_nuisance.py tests/test_endings.py tests/test_courier.py tests/test_momentary.py)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help run test test-postgres lint crash bench fuzz clean
help:
	@echo "make run     the demo: this machine and a small power room, with its page"
	@echo "make .venv   the environment alone        make test    every test"
	@echo "make lint    types, style, the house      make crash   1,000 kills of agent and desk"
	@echo "make bench   cost, beside its peers       make fuzz    1,000,000 mangled messages of each kind"
	@echo "make test-postgres  the desk's tests on PostgreSQL instead of SQLite"
	@echo "make clean   remove what make made"

# Runtime only: enough for `make run` and for a site.
.venv: .venv/ready
.venv/ready: requirements.lock pyproject.toml
	@echo "Setting up .venv (about half a minute, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Runtime, test peers, type checkers and linters.
.venv/ready-dev: .venv/ready requirements-dev.lock
	@echo "Adding the developers' tools to .venv ..."
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

run: .venv
	@$(BIN)/roundsman demo || test $$? -eq 130   # Ctrl-C is how it ends

test: .venv/ready-dev
	$(BIN)/pytest -n 2 --dist loadfile

test-postgres: .venv/ready-dev   # the desk's tests on a throw-away PostgreSQL (Debian package postgresql)
	$(BIN)/pytest --store postgres $(POSTGRES)

lint: .venv/ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

crash: .venv/ready-dev
	$(BIN)/python -m tests.crash --kills 1000 --cold 50

bench: .venv/ready-dev
	$(BIN)/python -m bench

fuzz: .venv/ready-dev
	for target in snmp modbus modbus-tcp ydt1363 traffic; do $(BIN)/python -m fuzz $$target --runs 1000000 || exit 1; done

clean:
	rm -rf .venv var build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
