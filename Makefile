# Every target works on a fresh clone: `env` runs first and builds .venv if it is missing, incomplete or not of this lock.
# The lock names versions only, so the index decides the build of torch: for a CUDA build set PIP_EXTRA_INDEX_URL to the
# index that PyTorch names for your CUDA version before the first `make`.

PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
# Rule scripts are started by name, so the environment's programs come first in PATH, as after an activation.
IN_ENV := PATH="$(BIN):$$PATH"
EXTRAS := dev,peers,conda,multilingual,postgres,slurm,kubernetes
SCALE ?= demo
# What .venv was built from. The path belongs to it because the programs in .venv/bin hold absolute paths.
STATE := { pwd; cat constraints.txt pyproject.toml; }

# Parallel jobs with spinning OpenMP threads are several times slower than one thread per job.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := passive
export TOKENIZERS_PARALLELISM := false
export MLFLOW_DISABLE_TELEMETRY := true
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: help env gpu demo test lint dry-run ui lock clean-results
.DEFAULT_GOAL := help

help: ## show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do \
		printf '%-14s %s\n' "$$name" "$$text"; done

env: ## create .venv from constraints.txt
	@if [ -x .venv/bin/python ] && $(STATE) | cmp -s - .venv/complete; then exit 0; fi; set -e; \
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
		f"PYTHON=$(PYTHON) is {sys.version.split()[0]}; give one of version 3.11 or newer")'; \
	echo "creating .venv from constraints.txt (2 to 5 minutes, 2.2 GB)"; \
	$(PYTHON) -m venv --clear .venv; \
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		.venv/bin/python -m pip install --quiet --requirement constraints.txt --editable '.[$(EXTRAS)]'; \
	$(STATE) > .venv/complete.partial; mv .venv/complete.partial .venv/complete

gpu: env ## add the extra gpu (Triton and flashdeberta) to .venv; without a GPU its tests interpret the kernels
	@PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
		.venv/bin/python -m pip install --quiet --editable '.[gpu]'

demo: env ## run the workflow at scale demo and print the headline table
	@$(IN_ENV) snakemake --cores all
	@$(IN_ENV) python -m benchmarks headline

test: env ## run all tests on two cores
	@$(IN_ENV) python -m pytest -n 2

lint: env ## check style and workflow without running anything
	@$(IN_ENV) ruff check .
	@$(IN_ENV) ruff format --check .
	@$(IN_ENV) snakefmt --check Snakefile workflow
	@$(IN_ENV) snakemake --lint

dry-run: env ## list the jobs of a scale without running them: make dry-run SCALE=paper
	@$(IN_ENV) snakemake --cores all --dry-run --quiet rules --config scale=$(SCALE)

ui: env ## open the MLflow UI on 127.0.0.1 over the store of the last run
	@$(IN_ENV) python -m benchmarks ui

lock: ## resolve pyproject.toml anew into constraints.txt and the conda environments
	rm -rf .venv.lock; $(PYTHON) -m venv .venv.lock
	.venv.lock/bin/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	.venv.lock/bin/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/+.*//' > constraints.txt
	.venv.lock/bin/python workflow/envs/pin.py
	rm -rf .venv.lock

clean-results: ## delete results, except results/README.md and results/released
	find results -mindepth 1 -maxdepth 1 ! -name README.md ! -name released -exec rm -rf {} +
