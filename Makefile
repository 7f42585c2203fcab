# Needs only make and Python >= 3.11 with venv; everything else is installed into .venv from the hash-pinned locks.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The first interpreter that is new enough; name another one with `make PYTHON=/path/to/python3 …`.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys, venv; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)) no-python)

RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-long lint types bench chaos chaos-long soak image lock

help:
	@echo "Vistnyk: the social publishing bot of a newsroom. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

venv: $(RUNTIME) ## create .venv and install what the bot needs to run

demo: $(RUNTIME) ## publish examples/ to a sandbox Telegram and Facebook and show both
	@$(BIN)/vistnyk demo $(ARGS)

test: $(DEVELOPMENT) ## run every test (ARGS="-k words" for some of them)
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-long: $(DEVELOPMENT) ## the same with the longer forms of some tests
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "" $(ARGS)

lint: $(DEVELOPMENT) ## style, formatting, import rules
	@failed=0; \
	$(BIN)/ruff check || failed=1; \
	$(BIN)/ruff format --check || failed=1; \
	$(BIN)/lint-imports --no-logo || failed=1; \
	exit $$failed

types: $(DEVELOPMENT) ## mypy --strict
	@$(BIN)/mypy

bench: $(DEVELOPMENT) ## articles per second and memory, on SQLite and PostgreSQL
	@$(call part,tests/bench)
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(DEVELOPMENT) ## kill the bot in the middle of its work, look for losses and doubles
	@$(call part,tests/chaos)
	@$(BIN)/python -m tests.chaos $(ARGS)

chaos-long: $(DEVELOPMENT) ## the same for longer
	@$(call part,tests/chaos)
	@$(BIN)/python -m tests.chaos --long $(ARGS)

soak: $(DEVELOPMENT) ## days of work in minutes: does anything grow or drift?
	@$(call part,tests/soak)
	@$(BIN)/python -m tests.soak $(ARGS)

image: ## build the container image
	docker build --tag vistnyk .

lock: $(DEVELOPMENT) ## pin all dependencies anew (UPGRADE=1: to the newest versions)
	@$(call pin,--group build,requirements.lock)
	@$(call pin,--group build --group dev,requirements-dev.lock)

part = test -f $(1)/__main__.py || { echo "make $@: comes with a later release, $(1)/ does not exist yet" >&2; exit 1; }

pin = echo "Pinning $(2)" && $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) $(1) pyproject.toml -o $(2)

# On a terminal one line counts up; what pip says itself is shown only where it fails.
define install
	@total=$$(grep -c '^[a-z].*==' $(1)); echo "Installing $$total packages of $(1) into $(VENV)"; \
	{ $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes -r $(1) 2>&1; \
		echo "exit $$?"; } | tee $(VENV)/pip.log | { count=0; while read -r word package; do case $$word in \
			Collecting) count=$$((count + 1)); test -t 1 && printf '\r\033[K  %s of %s: %s' $$count $$total "$$package" ;; \
			Installing) test -t 1 && printf '\r\033[K  unpacking' ;; \
			exit) test -t 1 && printf '\r\033[K' ;; esac; done; true; }
	@grep -qx 'exit 0' $(VENV)/pip.log || { tail -n 20 $(VENV)/pip.log >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(BIN)/python:
	@test "$(PYTHON)" != no-python || { echo "Vistnyk needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	$(call install,requirements.lock)

# The development lock holds the runtime one with the same versions.
$(DEVELOPMENT): requirements-dev.lock pyproject.toml | $(BIN)/python
	$(call install,requirements-dev.lock)
	@touch $(RUNTIME)
