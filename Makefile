# Everything happens in .venv, made from the first Python 3.12 or newer that is found; `make demo PYTHON=...` chooses one.
# A stamp file remembers an installation; it is made again when pyproject.toml changes.

VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --disable-pip-version-check --quiet
PYENV := $(or $(PYENV_ROOT),$(HOME)/.pyenv)
CANDIDATES := python3.12 python3.13 python3.14 python3 python $(wildcard $(PYENV)/versions/*/bin/python)

TESTS ?= tests
WORKERS ?= auto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format examples docs grammar wheel clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## install, and run the main job on the data that comes with the package
	$(RUN)/formulajoint demo

test: $(VENV)/.installed-test  ## install with what the tests need, and run them (TESTS=tests/language for some)
	$(RUN)/python -m pytest $(TESTS) -q -n $(WORKERS) --maxprocesses 8 --dist loadfile

lint: $(VENV)/.installed-lint  ## style, form and types
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy

format: $(VENV)/.installed-lint  ## bring the code into form
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

examples: $(VENV)/.installed-test  ## run every script in examples/
	@set -e; export MPLBACKEND=Agg; \
	for script in $(wildcard examples/*.py); do echo "== $$script"; $(RUN)/python "$$script"; done

docs: $(VENV)/.installed-docs  ## build the pages, docs/_build/index.html; needs no network
	$(RUN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build

grammar: $(VENV)/.installed  ## after a change in grammar/: build the parser that comes with the package
	$(RUN)/python -m formulajoint.language.grammar.build

wheel: $(VENV)/.installed  ## build dist/*.tar.gz, and from that dist/*.whl
	$(PIP) install build
	rm -rf dist
	$(RUN)/python -m build --outdir dist

clean:  ## remove .venv and all that was made
	rm -rf $(VENV) build dist docs/_build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The trial run sees through shims (pyenv's answer to every name, and fail) and Pythons without venv (Debian's).
$(RUN)/python:
	@for python in "$(PYTHON)" $(if $(PYTHON),,$(CANDIDATES)); do \
	    test -n "$$python" || continue; \
	    "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || continue; \
	    echo "making $(VENV) with $$("$$python" -c 'import sys; print(sys.executable)')"; \
	    exec "$$python" -m venv --clear $(VENV); \
	done; \
	echo "No Python 3.12 or newer (with venv and pip) was found$(if $(PYTHON), as $(PYTHON))."; \
	echo "Install one (python.org; on Debian and Ubuntu: apt install python3-venv), or name it: make PYTHON=/path/to/python"; \
	exit 1

$(VENV)/.installed: pyproject.toml | $(RUN)/python
	@echo "installing formulajoint and what it needs (the first time: a minute or two)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(RUN)/python
	@echo "installing formulajoint and its '$*' extra (the first time: a minute or two)"
	@$(PIP) install --editable '.[$*]'
	@touch $@ $(VENV)/.installed
