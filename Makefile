# Navette: make run (everything on embedded defaults), make test (all tests), make help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_FOLDER ?= var
PO := $(wildcard */locale/*/LC_MESSAGES/*.po)

.PHONY: run test check texts lock peers help hostile kills soak conformance dist dist-windows

help:  ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ -/'

$(VENV)/run: requirements.lock pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/test: $(VENV)/run requirements-test.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-test.lock
	touch $@

$(VENV)/texts: $(PO) | $(VENV)/run
	$(BIN)/python setup.py --quiet build_py --build-lib $(VENV)/build 2>/dev/null
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

dist: $(VENV)/test texts  ## pack the uploader for this system, into dist/
	@$(BIN)/python packaging/make_dist.py linux

SIGNING := $(if $(CERTIFICATE),--certificate $(CERTIFICATE) --key $(KEY)) $(if $(TIMESTAMP),--timestamp $(TIMESTAMP))

dist-windows: $(VENV)/test texts peers  ## pack it for Windows, with a setup; CERTIFICATE=… KEY=… TIMESTAMP=… sign it
	@$(BIN)/python packaging/make_dist.py windows $(SIGNING)

MINUTES ?= 30
TOOLS := nmap sslscan testssl.sh doona

hostile: $(VENV)/test texts  ## let the scanners and fuzzers of others try a running server (minutes; Debian: apt)
	@dpkg -s $(TOOLS) >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $(TOOLS) >/dev/null; }
	$(BIN)/pytest tests/hostile_tools/hostile.py

CONFORMANCE := $(VENV)/conformance

$(CONFORMANCE)/ready: $(VENV)/test
	rm -rf $(CONFORMANCE) && mkdir -p $(CONFORMANCE)
	$(BIN)/pip download --quiet --no-deps --no-binary pyftpdlib --dest $(CONFORMANCE) \
		pyftpdlib==$$($(BIN)/python -c 'import importlib.metadata as m; print(m.version("pyftpdlib"))')
	tar -xzf $(CONFORMANCE)/pyftpdlib-*.tar.gz -C $(CONFORMANCE)
	$(BIN)/pip install --quiet --target $(CONFORMANCE)/lib psutil
	touch $@

conformance: $(CONFORMANCE)/ready texts  ## run pyftpdlib's own tests against the server, but for what must differ
	PYTHONPATH=tests/conformance:$(CONFORMANCE)/lib $(BIN)/pytest -c tests/conformance/pytest.ini \
		-p pyftpdlib_tests -p no:cacheprovider $$(echo $(CONFORMANCE)/pyftpdlib-*/tests/test_functional.py)

kills: $(VENV)/test texts peers  ## kill rounds at 200 random moments over 1,000 documents, on each database and server
	NAVETTE_KILLS=200 NAVETTE_KILL_DOCUMENTS=1000 $(BIN)/pytest tests/postgresql/test_kills.py

soak: $(VENV)/test texts  ## load a server for MINUTES=30, kill it again and again, and count every document
	$(BIN)/python tests/soak.py --minutes $(MINUTES)

LOCK := uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links

lock: $(VENV)/run  ## write the lock files anew: exact versions with hashes, no addresses
	$(BIN)/pip install --quiet uv
	$(BIN)/$(LOCK) --universal --extra build --upgrade --output-file requirements.lock pyproject.toml
	$(BIN)/$(LOCK) --universal --extra build --upgrade --extra test --constraint requirements.lock \
		--output-file requirements-test.lock pyproject.toml
	$(BIN)/$(LOCK) --python-platform x86_64-pc-windows-msvc --constraint requirements-test.lock \
		--output-file packaging/windows/requirements.lock packaging/windows/requirements.in
