# `make demo` and `make test` need Python 3.11 or later and nothing else: each sets up what is missing first.
# Node, the CDK command line and uv come from pinned packages into .venv and node_modules.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-fast lint format audit bench performance test-benchmarks model evaluate docs pictures lock clean

UV_VERSION := 0.13.9
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# uv would install into the environment that is active in the user's shell.
export VIRTUAL_ENV := $(CURDIR)/.venv
UV := .tools/bin/uv
# npm and uv need a home folder, which a user without a name, as in a container, does not have.
ifeq ($(HOME),)
export HOME := $(or $(shell getent passwd "$$(id -u)" | cut -d: -f6),$(CURDIR)/.tools)
endif
# What a person sets for packages of their own; in an environment pip refuses it.
export PIP_USER := 0
# Many images set it, and then every process compiles the CDK's package again, which takes 4 seconds.
export PYTHONDONTWRITEBYTECODE :=
# For all clones, because a first run takes a minute.
export MYPY_CACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/crossover/mypy
# More processes than cores, because tests wait, the slow ones half of their time. By scope: tests/conftest.py.
PYTEST := pytest --maxprocesses 4 --dist loadscope --no-loadscope-reorder
CORES := $(shell getconf _NPROCESSORS_ONLN)

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/ready node_modules/.package-lock.json  ## Everything that the other targets need

demo: setup  ## Deploy three variants to a local AWS, predict real files; MODEL=image VARIANTS=all FILE=path choose
	@crossover demo $(if $(VARIANTS),--variants "$(VARIANTS)") $(if $(MODEL),--model "$(MODEL)") $(if $(FILE),--file "$(FILE)")

test: setup  ## Lint, types and all tests
	@$(MAKE) --no-print-directory --jobs=2 lint test-all  # side by side: without its cache mypy takes a minute

test-all: setup
	$(PYTEST) --numprocesses $$(( $(CORES) + 2 ))

test-fast: setup  ## Only the tests that take seconds
	$(PYTEST) --numprocesses $$(( $(CORES) + 1 )) -m "not slow and not benchmark"

# Serially, since they measure; some of them install the packages of the peers (about 3 GB).
test-benchmarks: setup  ## The tests of benchmarks/, with real measurements on this machine
	pytest --numprocesses 0 -m benchmark

lint: setup  ## ruff, mypy, and which package may import which
	ruff check
	PYTHONPATH=lambda_src lint-imports --no-logo --no-cache
	ruff format --check
	mypy

format: setup  ## Format the code with ruff
	ruff check --fix
	ruff format

# No part of `make test`: a vulnerability found tomorrow must not break today's commit. The workflow runs it by itself.
audit: .venv/ready  ## Known vulnerabilities of everything that is locked
	@python .ci/audit.py $(LOCKS) $(AUDIT)

bench: setup  ## Speed of the handlers on this machine; MODEL=image measures pictures
	crossover bench micro $(if $(MODEL),--model "$(MODEL)")

# wrk puts the load on the servers: Debian's package wrk.
performance: setup  ## Measure everything in docs/performance.md, about half an hour, and write it
	crossover bench micro --output benchmarks/results/micro.json.gz
	crossover bench micro --model image --output benchmarks/results/micro-image.json.gz
	python -m benchmarks peers --output benchmarks/results/peers.json.gz
	python -m benchmarks.performance

model: setup  ## Rebuild the models, byte for byte
	python model/in_own_environment.py model/requirements.txt model/build_model.py
	python model/in_own_environment.py model/image/requirements.txt model/image/build_model.py

evaluate: setup  ## The models' predictions for their samples, and their parity with the originals
	python model/in_own_environment.py $(INFERENCE),lambda_src/requirements-audio.txt model/evaluate.py
	python model/in_own_environment.py model/requirements-parity.txt model/check_parity.py
	python model/in_own_environment.py model/image/requirements.txt,$(INFERENCE),lambda_src/requirements-image.txt model/image/evaluate.py
INFERENCE := lambda_src/requirements-inference.txt

docs: setup  ## Write the parts of README and docs that are made from the code
	python -m tools.docs

pictures: setup  ## Draw the pictures of README
	python -m tools.pipeline_picture
	python -m tools.cost_curves

clean:  ## Remove everything that was built, including the environments
	rm -rf .venv .tools .crossover cdk.out node_modules .pytest_cache .mypy_cache .ruff_cache

$(UV):
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { echo 'This python3 cannot make environments: install its package venv (Debian, Ubuntu: apt-get install python3-venv).' >&2; exit 1; }
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The handlers run on Python 3.12, so the environment does too wherever one is installed or can be fetched within a
# minute; any Python from 3.11 on will do.
.venv/ready: requirements-dev.txt pyproject.toml | $(UV)
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or later is needed; python3 is {sys.version.split()[0]}.")'
	$(UV) venv --quiet --clear .venv --python "$$(python3 crossover/bundling/find_python.py 3.12 \
	  || { timeout 60 $(UV) python install --quiet 3.12 && $(UV) python find 3.12; } 2>/dev/null \
	  || command -v python3)"
	$(UV) pip sync --quiet --require-hashes requirements-dev.txt
	$(UV) pip install --quiet --no-deps --editable .
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json .venv/ready
	npm ci --silent
	@touch $@

lock: $(UV)  ## Write the hash-checked locks from the ranges; UPGRADE=1 takes the newest versions
	$(COMPILE) $(ANYWHERE) pyproject.toml --all-extras -o requirements.txt
	$(COMPILE) $(ANYWHERE) pyproject.toml --all-extras --group dev -c requirements.txt -o requirements-dev.txt
	for file in $(LOCKED); do $(COMPILE) $(ANYWHERE) $$file.in -o $$file.txt || exit; done
	for file in $(KINDS); do $(COMPILE) $(ANYWHERE) --no-emit-package numpy -c lambda_src/requirements-inference.txt $$file.in -o $$file.txt || exit; done
	for file in $(PEERS); do $(COMPILE) $(PEER) $$file.in -o $$file.txt || exit; done
	for file in $(LOCKED_ALONE); do $(COMPILE) $(ANYWHERE) --no-deps $$file.in -o $$file.txt || exit; done
	$(COMPILE) $(IMAGE) sagemaker_container/requirements.in -o sagemaker_container/requirements.txt
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-header --no-annotate $(if $(UPGRADE),--upgrade)
ANYWHERE := --universal --python-version 3.11
PEER := --universal --python-version 3.12
IMAGE := --python-version 3.12 --python-platform x86_64-manylinux_2_28 --only-binary :all:
LOCKED := lambda_src/requirements-inference lambda_src/requirements-proxy crossover/local/requirements \
    benchmarks/peers/usual/requirements benchmarks/peers/tflite/requirements
# What only one kind of input needs, besides requirements-inference.
KINDS := lambda_src/requirements-audio lambda_src/requirements-image lambda_src/requirements-tensor
# The peers' servers, which run on the handlers' Python.
PEERS := $(patsubst %,benchmarks/peers/%/requirements,bentoml fastapi litserve mlserver sagemaker_inference)
# These files name all that they need; other dependencies of a package are left out on purpose.
LOCKED_ALONE := model/requirements model/requirements-parity model/image/requirements
LOCKS := requirements.txt requirements-dev.txt $(LOCKED:=.txt) $(KINDS:=.txt) $(PEERS:=.txt) $(LOCKED_ALONE:=.txt) sagemaker_container/requirements.txt
