# The commands of this project. `make` lists them.
#
#   make run      serve the API with an embedded AWS and PostgreSQL           make run PORT=8001
#   make test     run the fast tests: routes, permissions, rules, services     make test ARGS="-k files"
#   make check    run all checks of a change: format, lint, types, imports, locks, infrastructure, tests, a brief rehearsal
#   make coverage     run all tests, and measure branch coverage: at least 93 %
#   make browser  install the browser that `make check` needs
#   make pooler   install PgBouncer, which `make check` needs
#   make node     install the linters of openapi.yaml, which `make check` needs (Node.js 20 or newer)
#   make prove-faults     run the long tests of faults, random changes and fuzzing in full
#   make editor-config    print the settings with which the City's editor uses this API (docs/editor.md)
#   make reset    delete the laptop's users, files and rows
#   make install  install the locked requirements into .venv, and nothing else
#   make lock     write the locks after an edit of requirements/*.in
#   make bench    measure the cost of a token and a request beside other libraries   make bench ARGS=--quick
#   make bench-cold   measure the cold start of four entry points, beside Flask
#   make load     send half an hour's good and broken requests to gunicorn     make load ARGS="--requests 2000"
#   make rehearse     set up, deploy, break, roll back and remove the stages on this machine
#   make infrastructure  check the template with cfn-lint and checkov, the workflows with zizmor and actionlint
#   make prove-aws    compare the commands of stages and previews between two emulators: some minutes
#   make doctor       find faulty settings of stages that would deploy without an error

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
WORKERS ?= auto
# `make check` uses the same order of tests and the same Hypothesis examples each time, so its result is repeatable.
SAME_EVERY_TIME := --randomly-seed=1 --hypothesis-profile=same
PARALLEL := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# Tools that import the settings need the environment of a laptop.
LAPTOP := $(BIN)/python -m apps.devstack
# The command gets SIGTERM when make ends, even if make is killed.
WITH_PARENT = $$(command -v setpriv && echo --pdeathsig TERM --)

LOCKS := requirements/development.txt requirements/emulator.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Install exactly the packages of a lock: with uv, or with pip, whose configuration may name a mirror.
fill = $(BIN)/uv pip sync --quiet --require-hashes --python $(1)/bin/python $(2) \
  || $(PIP) --python $(1)/bin/python install --require-hashes --no-deps --requirement $(2)
# Keep this order, because a set may extend an earlier one. A lock is valid for all platforms and Pythons.
SETS := production staging development emulator rehearsal linters moto benchmarks
lock_sets = for set in $(SETS); do \
  "$(CURDIR)/$(BIN)/uv" pip compile --universal --generate-hashes --no-annotate --no-strip-extras \
    --python-version=3.11 --quiet --output-file $$set.txt $$set.in >/dev/null \
  || { echo "uv cannot lock the requirements, for the reason above. It needs the package index."; exit 1; }; done

# With these variables, modules of another project could replace modules of .venv.
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

# A finished installation contains a copy of the locks. `python -c ''` finds an environment whose Python is gone.
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

# Use the system's browser, else install Debian's package or Playwright's download.
browser: install
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium; } \
	  || $(BIN)/playwright install chromium \
	  || { echo "No chromium could be installed: make check will fail."; exit 1; }

# Debian and Ubuntu have this package. On macOS: `brew install pgbouncer`.
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

# ---- checks of a change --------------------------------------------------------------------------
# Run the tests, and the other checks at the same time.
check: install runtime
	@$(MAKE) --no-print-directory --jobs=2 tests format lint types imports locks infrastructure brief-rehearsal

# The stages' version of Python, which compiles the package and runs it in rehearsals.
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

# Writing the locks again changes no pin, unless an .in file was edited without `make lock`. Compare only pins:
# hashes may differ, because a mirror may lack some files.
locks: install
	@rm -rf .build/locks && mkdir -p .build && cp -R requirements .build/locks && cd .build/locks && $(lock_sets)
	@cd requirements && grep == $(SETS:=.txt) >../.build/locks/pins
	@cd .build/locks && grep == $(SETS:=.txt) | diff pins - \
	  || { echo "Edited but not locked. Run \`make lock\` and commit it."; exit 1; }

tests: install runtime .build/linters/installed .build/npm/installed .build/rehearsal/installed
	$(BIN)/pytest $(PARALLEL) -q $(SAME_EVERY_TIME) $(ARGS)

# The nightly run uses another order and other examples each time. On Python 3.11, coverage costs two thirds
# more processor time.
coverage: install runtime .build/linters/installed .build/npm/installed .build/rehearsal/installed
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term -q $(ARGS)

lock: install
	@cd requirements && $(lock_sets)

# ---- benchmarks -----------------------------------------------------------------------------------
bench: install .build/benchmarks/installed
	@.build/benchmarks/bin/python -m benchmarks.bench_auth $(ARGS)

# Separate environments for programs with other pins: linters, peers of benchmarks, moto, Lambda's runtime.
.build/%/installed: requirements/%.txt | install
	@$(BIN)/uv venv --quiet --clear --python $(BUILD_PYTHON) .build/$*
	@$(BIN)/uv pip install --quiet --python .build/$* --require-hashes -r $<
	@touch $@

BUILD_PYTHON = $(BIN)/python
# The replacement for Lambda's environment in tests, rehearsals and benchmarks.
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

# Rehearses staging only, with the steps that no other test covers.
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
