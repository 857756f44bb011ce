# What people type. The work is in Python: apps/devstack.
#
#   make run      serve the API, with an AWS and a PostgreSQL of its own      make run PORT=8001
#   make test     the fast tests: every route, permission, rule and service    make test ARGS="-k files"
#   make check    what admits a change: format, lint, types, imports, locks, infrastructure, all tests
#   make coverage     all tests again, and which branches they reach: 93 % at least
#   make browser  install the browser that `make check` needs
#   make pooler   install PgBouncer, which `make check` needs
#   make prove-faults     the bounded tests of faults, crowds and guesses, in full
#   make editor-config    what the City's editor needs to use this API (docs/editor.md)
#   make reset    forget the laptop's users, files and rows
#   make install  only bring .venv to what the locks say
#   make lock     lock the requirements again after an edit of requirements/*.in
#   make bench    what a token and a request cost, beside others               make bench ARGS=--quick
#   make bench-cold   what a cold start costs for four entry points, beside Flask
#   make load     half an hour's requests and junk under gunicorn: lost, kept, cost   make load ARGS="--requests 2000"
#   make rehearse     the whole life of the stages on this machine: deploy, try, break, roll back, remove
#   make infrastructure  read the template with cfn-lint and checkov, the workflows with zizmor and actionlint
#   make prove-aws    the commands of stages and previews at two emulators, which must agree: some minutes
#   make doctor       look for what goes wrong with a stage although it deploys

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
WORKERS ?= auto
# The order of the tests and the examples that Hypothesis makes up: what admits a change leaves nothing to chance.
SAME_EVERY_TIME := --randomly-seed=1 --hypothesis-profile=same

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# The tools that import the settings need the environment of a laptop.
LAPTOP := $(BIN)/python -m apps.devstack
# Ends with make, however make ends.
WITH_PARENT = exec $(BIN)/python -I -S apps/devstack/parent_death.py $$PPID 15 --

# A module of another project must not stand in for one of .venv.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: editor-config coverage prove-faults bench bench-cold load rehearse doctor infrastructure help prove-aws run test check runtime format lint types imports locks tests reset install lock browser pooler

help:
	@sed -n 's/^#   //p' Makefile

run: install
	@$(WITH_PARENT) $(BIN)/python manage.py runserver $(PORT)

test: install
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -q $(SAME_EVERY_TIME) -m "not slow" $(ARGS)

editor-config: install
	@$(MANAGE) editor_config

reset: install
	@$(MANAGE) reset

install:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) apps/devstack/install.py

browser: install
	@$(BIN)/python -m apps.devstack.browser

# Debian's and Ubuntu's package; others have it too (`brew install pgbouncer`).
pooler:
	@PATH=$$PATH:/usr/sbin command -v pgbouncer >/dev/null || { \
	  root=$$(test "$$(id -u)" = 0 || echo sudo); $$root apt-get update -qq && \
	  $$root apt-get install -qq --yes --no-install-recommends pgbouncer; }

# ---- what admits a change -----------------------------------------------------------------------
check: install runtime format lint types imports locks infrastructure tests

# The Python that the stages run on, which builds the package and runs it in rehearsals.
runtime: install
	@$(BIN)/python -m apps.deployment.package.interpreter >/dev/null

format: install
	$(BIN)/ruff format --check --quiet .

lint: install
	$(BIN)/ruff check --quiet .
	$(BIN)/python -m apps.devstack.language

types: install
	$(LAPTOP) $(BIN)/mypy

imports: install
	$(LAPTOP) $(BIN)/lint-imports

# Locking again what is locked changes nothing, unless an .in file was edited and not locked.
locks: install
	$(BIN)/python -m apps.devstack.requirements --check

tests: install runtime .build/linters/installed
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -q $(SAME_EVERY_TIME) $(ARGS)

# At night, in another order and with other examples each time. On Python 3.11 measuring coverage takes two
# thirds more processor time.
coverage: install runtime .build/linters/installed
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term -q $(ARGS)

lock: install
	$(BIN)/python -m apps.devstack.requirements

# ---- what it costs --------------------------------------------------------------------------------
# The peers live in an environment of their own: some pin what we do not want beside our code.
bench: install .build/bench/ready
	@.build/bench/bin/python -m benchmarks.bench_auth $(ARGS)

.build/bench/ready: requirements/benchmarks.txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .build/bench
	@$(BIN)/uv pip install --quiet --python .build/bench/bin/python --require-hashes -r requirements/benchmarks.txt
	@touch $@

# Programs that pin what we do not, so in an environment of their own.
.build/linters/installed: requirements/linters.txt | install
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .build/linters
	@$(BIN)/uv pip install --quiet --python .build/linters --require-hashes -r requirements/linters.txt
	@touch $@

# 180 MB, for one proof.
.build/moto/installed: requirements/moto.txt | install
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .build/moto
	@$(BIN)/uv pip install --quiet --python .build/moto --require-hashes -r requirements/moto.txt
	@touch $@

# ---- stages -------------------------------------------------------------------------------------
bench-cold: install runtime
	$(BIN)/python -m benchmarks.cold.bench $(ARGS)

load: install
	@$(BIN)/python -m tests.load.run $(ARGS)

rehearse: install runtime
	$(BIN)/python -m tests.rehearsal

prove-aws: install .build/moto/installed
	$(BIN)/pytest -q tests/deployment/prove_moto.py $(ARGS)

prove-faults: install
	$(BIN)/pytest --proof -n $(WORKERS) --dist worksteal -q tests/users/test_fault_injection.py \
	  tests/users/test_stateful.py tests/users/test_concurrency.py tests/e2e/test_fuzz.py $(ARGS)

doctor: install
	$(MANAGE) check --deploy --fail-level WARNING

infrastructure: .build/linters/installed
	.build/linters/bin/cfn-lint --regions us-east-1 -- infrastructure/*.yaml
	.build/linters/bin/checkov --framework cloudformation --skip-download --compact --quiet --directory infrastructure
	.build/linters/bin/zizmor --offline --quiet .github/workflows
	@test ! -x .build/linters/bin/actionlint || .build/linters/bin/actionlint
