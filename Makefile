# What people type. The work is in Python: apps/devstack.
#
#   make run      serve the API, with an AWS and a PostgreSQL of its own      make run PORT=8001
#   make test     the whole test suite                                        make test ARGS="-k files"
#   make check    what admits a change: format, lint, types, imports, locks, tests with coverage
#   make reset    forget the laptop's users, files and rows
#   make install  only bring .venv to what the locks say
#   make lock     lock the requirements again after an edit of requirements/*.in

PYTHON ?= python3
PORT ?= 8000
ARGS ?=

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# The tools that import the settings need the environment of a laptop.
LAPTOP := $(BIN)/python -m apps.devstack
# Ends with make, however make ends.
LEASHED = exec $(BIN)/python -I -S apps/devstack/leash.py $$PPID 15 --

.DEFAULT_GOAL := help
.PHONY: help run test check format lint types imports locks covered reset install lock browser

help:
	@sed -n 's/^#   //p' Makefile

run: install
	@$(LEASHED) $(BIN)/python manage.py runserver $(PORT)

test: install browser
	@$(BIN)/pytest $(ARGS)

reset: install
	@$(MANAGE) reset

install:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) apps/devstack/install.py

browser: install
	@$(BIN)/python -m apps.devstack.browser

# ---- what admits a change -----------------------------------------------------------------------
check: install format lint types imports locks covered

format: install
	$(BIN)/ruff format --check --quiet .

lint: install
	$(BIN)/ruff check --quiet .

types: install
	$(LAPTOP) $(BIN)/mypy

imports: install
	$(LAPTOP) $(BIN)/lint-imports --no-show-banner 2>/dev/null || $(LAPTOP) $(BIN)/lint-imports

# Locking again what is locked changes nothing, unless an .in file was edited and not locked.
locks: install
	$(BIN)/python -m apps.devstack.locks --check

covered: install browser
	$(BIN)/pytest -n auto --cov --cov-report=term -q $(ARGS)

lock: install
	$(BIN)/python -m apps.devstack.locks
