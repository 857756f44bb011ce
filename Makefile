# The commands of this project. `make` lists them.
#
#   make run      serve the API, with an AWS and a PostgreSQL of its own      make run PORT=8001
#   make test     the fast tests: every route, permission, rule and service    make test ARGS="-k files"
#   make check    what admits a change: format, lint, types, imports, locks, infrastructure, all tests, a brief rehearsal
#   make coverage     all tests again, and which branches they reach: 93 % at least
#   make browser  install the browser that `make check` needs
#   make pooler   install PgBouncer, which `make check` needs
#   make node     install the linters of openapi.yaml, which `make check` needs (Node.js 20 or newer)
#   make prove-faults     the bounded tests of faults, crowds and guesses, in full
#   make editor-config    what the City's editor needs to use this API (docs/editor.md)
#   make reset    forget the laptop's users, files and rows
#   make install  only bring .venv to what the locks say
#   make lock     lock the requirements again after an edit of requirements/*.in
#   make bench    what a token and a request cost, beside others               make bench ARGS=--quick
#   make bench-cold   what a cold start costs for four entry points, beside Flask
#   make load     half an hour's requests and junk under gunicorn: lost, kept, cost   make load ARGS="--requests 2000"
#   make rehearse     the whole life of the stages on this machine: set up, deploy, break, roll back, remove
#   make infrastructure  read the template with cfn-lint and checkov, the workflows with zizmor and actionlint
#   make prove-aws    the commands of stages and previews at two emulators, which must agree: some minutes
#   make doctor       look for what goes wrong with a stage although it deploys

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
WORKERS ?= auto
# The order of the tests and the examples that Hypothesis makes up: what admits a change leaves nothing to chance.
SAME_EVERY_TIME := --randomly-seed=1 --hypothesis-profile=same
PARALLEL := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# The tools that import the settings need the environment of a laptop.
LAPTOP := $(BIN)/python -m apps.devstack
# Ends with make, however make ends.
WITH_PARENT = $$(command -v setpriv && echo --pdeathsig TERM --)

LOCKS := requirements/development.txt requirements/emulator.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Bring an environment to what a lock says: with uv, or with pip, whose configuration may name a mirror.
fill = $(BIN)/uv pip sync --quiet --require-hashes --python $(1)/bin/python $(2) \
  || $(PIP) --python $(1)/bin/python install --require-hashes --no-deps --requirement $(2)
# In this order: each set extends the one before it. A lock holds for every platform and Python.
SETS := production staging development emulator rehearsal linters moto benchmarks
lock_sets = for set in $(SETS); do \
  "$(CURDIR)/$(BIN)/uv" pip compile --universal --generate-hashes --no-annotate --no-strip-extras \
    --python-version=3.11 --quiet --output-file $$set.txt $$set.in >/dev/null \
  || { echo "uv cannot lock the requirements, for the reason above. It needs the package index."; exit 1; }; done

# A module of another project must not stand in for one of .venv.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: editor-config coverage prove-faults node bench bench-cold load rehearse brief-rehearsal doctor infrastructure help prove-aws run test check runtime format lint types imports locks tests reset install environment lock browser pooler

help:
	@sed -n 's/^#   //p' Makefile

run: install
	@exec $(WITH_PARENT) $(MANAGE) runserver $(PORT)

test: install
	@$(BIN)/pytest $(PARALLEL) -q $(SAME_EVERY_TIME) -m "not slow" $(ARGS)

editor-config: install
	@$(MANAGE) editor_config

reset: install
	@$(MANAGE) reset

# The mark of a finished installation is a copy of the locks. An environment dies with its Python.
install:
	@cat $(LOCKS) | cmp -s - .venv/installed && $(BIN)/python -c '' && .venv/emulator/bin/python -c '' \
	  || $(MAKE) --no-print-directory environment

environment:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python %d.%d is too old, 3.11 or newer is needed: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Installing the locked requirements into .venv: about a minute, once."
	@test -f .venv/installed && $(BIN)/python -c '' || $(PYTHON) -m venv --clear .venv \
	  || { echo "$(PYTHON) cannot make virtual environments. On Debian: apt install python3-venv"; exit 1; }
	@rm -f .venv/installed
	@test -x $(BIN)/uv || { sed -n '/^uv==/,/[^\]$$/p' requirements/development.txt >.venv/uv.txt \
	  && $(PIP) install --require-hashes --requirement .venv/uv.txt; } || true
	@$(call fill,.venv,requirements/development.txt)
	@$(PYTHON) -m venv --clear --without-pip .venv/emulator
	@$(call fill,.venv/emulator,requirements/emulator.txt)
	@cat $(LOCKS) >.venv/installed

# The system's browser, Debian's package or Playwright's download.
browser: install
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium; } \
	  || $(BIN)/playwright install chromium \
	  || { echo "No chromium could be installed: make check will fail."; exit 1; }

# Debian's and Ubuntu's package; others have it too (`brew install pgbouncer`).
pooler:
	@PATH=$$PATH:/usr/sbin command -v pgbouncer >/dev/null || { \
	  root=$$(test "$$(id -u)" = 0 || echo sudo); $$root apt-get update -qq && \
	  $$root apt-get install -qq --yes --no-install-recommends pgbouncer; }

node: .build/npm/installed

.build/npm/installed: requirements/node/package-lock.json
	@command -v npm >/dev/null || { echo "There is no npm here. Install Node.js 20 or newer."; exit 1; }
	@mkdir -p .build/npm && cp requirements/node/package*.json .build/npm
	@npm ci --prefix .build/npm --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# ---- what admits a change -----------------------------------------------------------------------
# The tests, and beside them all else.
check: install runtime
	@$(MAKE) --no-print-directory --jobs=2 tests format lint types imports locks infrastructure brief-rehearsal

# The Python that the stages run on, which builds the package and runs it in rehearsals.
runtime: install
	@$(BIN)/python -m apps.deployment.package.interpreter >/dev/null

format: install
	$(BIN)/ruff format --check --quiet .

lint: install
	$(BIN)/ruff check --quiet .
	$(BIN)/python -m tests.language

types: install
	$(LAPTOP) $(BIN)/mypy

imports: install
	$(LAPTOP) $(BIN)/lint-imports

# Locking again what is locked changes no pin, unless an .in file was edited and not locked. Hashes may
# differ, since a mirror need not have every file.
locks: install
	@rm -rf .build/locks && mkdir -p .build && cp -R requirements .build/locks && cd .build/locks && $(lock_sets)
	@cd requirements && grep == $(SETS:=.txt) >../.build/locks/pins
	@cd .build/locks && grep == $(SETS:=.txt) | diff pins - \
	  || { echo "Edited but not locked. Run \`make lock\` and commit it."; exit 1; }

tests: install runtime .build/linters/installed .build/npm/installed .build/rehearsal/installed
	$(BIN)/pytest $(PARALLEL) -q $(SAME_EVERY_TIME) $(ARGS)

# At night, in another order and with other examples each time. On Python 3.11 measuring coverage takes two
# thirds more processor time.
coverage: install runtime .build/linters/installed .build/npm/installed .build/rehearsal/installed
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term -q $(ARGS)

lock: install
	@cd requirements && $(lock_sets)

# ---- what it costs --------------------------------------------------------------------------------
bench: install .build/benchmarks/installed
	@.build/benchmarks/bin/python -m benchmarks.bench_auth $(ARGS)

# Environments of their own, for programs that pin what we do not: linters, peers of benchmarks, moto, Lambda.
.build/%/installed: requirements/%.txt | install
	@$(BIN)/uv venv --quiet --clear --python $(BUILD_PYTHON) .build/$*
	@$(BIN)/uv pip install --quiet --python .build/$* --require-hashes -r $<
	@touch $@

BUILD_PYTHON = $(BIN)/python
# What stands for Lambda's own environment, for tests, rehearsals and benchmarks.
.build/rehearsal/installed: BUILD_PYTHON = "$$($(BIN)/python -m apps.deployment.package.interpreter)"
.build/rehearsal/installed: export UV_COMPILE_BYTECODE = 1
.build/rehearsal/installed: zappa_settings.json | runtime

# ---- stages -------------------------------------------------------------------------------------
bench-cold: install runtime .build/rehearsal/installed
	$(BIN)/python -m benchmarks.cold.bench $(ARGS)

load: install
	@$(BIN)/python -m tests.load.run $(ARGS)

rehearse: install runtime .build/rehearsal/installed
	$(BIN)/pytest tests/rehearsal

# Staging alone, and only what no test shows.
brief-rehearsal: install runtime .build/rehearsal/installed
	@mkdir -p .build && $(BIN)/pytest tests/rehearsal -m "not full" >.build/rehearsal.log 2>&1 \
	  || { cat .build/rehearsal.log; exit 1; }
	@tail -n 1 .build/rehearsal.log

prove-aws: install .build/moto/installed
	$(BIN)/pytest -q tests/deployment/prove_moto.py $(ARGS)

prove-faults: install
	$(BIN)/pytest --proof $(PARALLEL) -q tests/users/test_fault_injection.py \
	  tests/users/test_random_changes.py tests/e2e/test_fuzz.py $(ARGS)

doctor: install
	$(MANAGE) check --deploy --fail-level WARNING

infrastructure: .build/linters/installed
	.build/linters/bin/cfn-lint --regions us-east-1 -- infrastructure/*.yaml
	.build/linters/bin/checkov --framework cloudformation --skip-download --compact --quiet --directory infrastructure
	.build/linters/bin/zizmor --offline --quiet .github/workflows
	@test ! -x .build/linters/bin/actionlint || .build/linters/bin/actionlint
