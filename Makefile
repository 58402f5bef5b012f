.DEFAULT_GOAL := help
PYTHON ?= python3
PYTHON312 ?= python3.12
BIN := .venv/bin
READY := .venv/.ready
LOCKED := demo training metrics vmaf openvino provenance fleet dev
# processes with one thread each, since the threads of several processes would wait for each other; one more than there
# are cores, since a test often waits for a process that it started
PROCESSES := $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --nbmake --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# pip writes the path into scripts that a shell reads
ifneq ($(findstring $$,$(CURDIR))$(findstring `,$(CURDIR)),)
$(error the path of this folder contains $$ or a backtick, which a shell would execute; rename the folder)
endif

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## a .venv with the pinned requirements and vsr-lab

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "make: $(PYTHON) is not Python 3.11 to 3.13; use make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import shutil, sys; sys.exit(shutil.disk_usage(".").free < 8e9)' \
	  || { echo "make: .venv takes 8 GB, and this disk has less free space"; exit 2; }
	@echo "setting up .venv: about 8 GB, 2 to 5 minutes the first time"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup ## train, evaluate, select, export and upscale on footage from packages
	$(BIN)/vsr-lab demo

check: setup ## lint, format, types, and the layers of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-cache

test: setup check ## every test that needs no GPU and takes minutes
	$(PYTEST) -m "not slow and not gpu" notebooks tests

test-all: setup check ## with the slow and the GPU tests
	$(PYTEST) notebooks tests

test-vs: setup ## run exported window graphs in VapourSynth (downloads 60 MB; needs Python 3.12)
	@command -v $(PYTHON312) >/dev/null || { echo "make: no $(PYTHON312): VapourSynth is not tested"; exit 2; }
	@$(PYTHON312) -m venv .venv-vs
	@.venv-vs/bin/python -m pip install --quiet --disable-pip-version-check vapoursynth==81 vapoursynth-mlrt-ort==17.1.1 numpy==2.5.5
	$(PYTEST) -s -n0 tests/parity/test_vapoursynth.py

notebooks: setup ## run every notebook
	$(PYTEST) notebooks

lock: ## pin the newest requirements that pyproject.toml allows (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 $(addprefix --extra ,$(LOCKED)) --no-annotate --no-header \
	  --upgrade pyproject.toml -o requirements.lock

clean: ## remove the .venv and caches; results are kept
	rm -rf .venv .venv-vs .pytest_cache .hypothesis .ruff_cache .import_linter_cache

.PHONY: help setup demo check test test-all test-vs notebooks lock clean
