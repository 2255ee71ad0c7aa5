# Navette: make run (everything on embedded defaults), make test (all tests), make help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_FOLDER ?= var
PO := $(wildcard */locale/*/LC_MESSAGES/*.po)

.PHONY: run test check texts lock peers screens help

help:  ## what each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ -/'

$(VENV)/run: requirements.lock pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

$(VENV)/test: $(VENV)/run requirements-test.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-test.lock
	touch $@

$(VENV)/texts: $(PO) | $(VENV)/run
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

run: $(VENV)/run $(VENV)/texts  ## start server and service on embedded defaults, in ./var
	@$(BIN)/navette --home $(HOME_FOLDER) up

texts: $(VENV)/texts  ## compile the French, Dutch and English texts

peers:
	@packaging/linux/install-test-peers

check: $(VENV)/test texts  ## style, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/test texts peers check  ## install what the tests need and run all of them
	$(BIN)/pytest

lock: $(VENV)/test  ## write the lock files anew: exact versions with hashes, no addresses
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --no-header --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --extra test \
		--no-emit-find-links --no-emit-trusted-host --no-header --output-file requirements-test.lock pyproject.toml
