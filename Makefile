# What each word does is told by "make help".
MAKEFLAGS += --no-print-directory
UV ?= uv
PO := $(wildcard translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
# Tests start hundreds of processes; where Python may not write what it compiles, each would compile.
COMPILED = .venv/bin/python -m compileall -q app standin tests

.NOTPARALLEL:
.PHONY: help run test check soak bench install install-dev messages translations lock format clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: install messages ## starts the demo: HOST, PORT and PORTEVOIX_DATA_DIR may be set
	@exec .venv/bin/portevoix up --demo

test: install-dev messages ## runs every test; ARGS="tests/ledger -x" goes to pytest
	@sh tests/provision.sh
	@$(COMPILED)
	@.venv/bin/pytest -n 2 $(ARGS)

check: install-dev ## format, lint, types, import rules, templates, translations, audit
	@sh scripts/check.sh

soak: install-dev messages ## the long checks at full counts
	@sh tests/provision.sh
	@$(COMPILED)
	@.venv/bin/python -m tests.soak $(ARGS)

bench: install-dev messages ## the benchmarks: a table, and JSON in var/bench.json
	@.venv/bin/python -m bench $(ARGS)

install: ## .venv with what the product needs
	@sh scripts/install.sh base

install-dev: ## .venv with what tests and checks need too
	@sh scripts/install.sh dev

messages: $(MO)

%.mo: %.po | install
	@.venv/bin/pybabel -q compile -i $< -o $@

translations: install ## brings the .po files to the texts in the code
	@.venv/bin/python scripts/update_translations.py

format: install-dev ## formats code and templates
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format --quiet .
	@.venv/bin/djlint --quiet --reformat templates || true

lock: ## resolves requirements/*.in again (needs uv)
	@UV="$(UV)" sh scripts/lock.sh

clean: ## removes .venv and everything built; var/ stays
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -f $(MO)
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
