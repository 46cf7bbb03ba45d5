# Bare `make` lists the targets. Every target sets up what it needs: Python 3.11+ and a C++ compiler are enough.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# uv reads other variables than pip: pass pip's own settings on, so that set-up works behind any mirror.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
export UV_INDEX_URL ?= $(PIP_INDEX_URL)
export UV_EXTRA_INDEX_URL ?= $(PIP_EXTRA_INDEX_URL)
export SSL_CERT_FILE ?= $(PIP_CERT)
$(foreach name,UV_FIND_LINKS UV_INDEX_URL UV_EXTRA_INDEX_URL SSL_CERT_FILE,$(if $(strip $($(name))),,$(eval unexport $(name))))

.PHONY: help setup demo train test test-server lint ui bench prove
help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready  ## install everything into .venv
$(VENV)/.ready: pyproject.toml
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || test -x $(VENV)/bin/uv || $(RUN) -m pip install --quiet uv
	@PATH="$$PATH:$(CURDIR)/$(VENV)/bin" uv sync --quiet --inexact --extra dev
	@touch $@

demo: setup  ## train 10 seeds on Say-Select with the embedded model, look at the prior, compare the runs
	$(RUN) -m prior.inspect --env say-select
	$(RUN) -m rl.train --prior structured
	$(RUN) -m rl.train --config runs/recipes/say_select_q.toml --seeds 10
	$(RUN) -m runs.compare

train: setup  ## train from a recipe: make train RECIPE=runs/recipes/say_select_q.toml
	$(RUN) -m rl.train --config $(or $(RECIPE),runs/recipes/say_select_instructq_structured.toml)

test: setup  ## lint, types and tests
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m pytest

test-server: setup  ## check the openai backend against llama-cpp-python's server (built once, minutes) with the embedded model
	@test -x $(VENV)-server/bin/python || $(PYTHON) -m venv $(VENV)-server
	$(VENV)-server/bin/python -m pip install --quiet "llama-cpp-python[server]>=0.3.16"
	$(RUN) -m tests.real_server.check --server-python $(VENV)-server/bin/python

lint: setup  ## format and fix what can be fixed
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	$(RUN) -m mypy

ui: setup  ## open the runs in MLflow's browser interface
	MLFLOW_DISABLE_TELEMETRY=true $(VENV)/bin/mlflow ui --backend-store-uri sqlite:///runs/mlflow.db

bench: setup  ## measure the speed rows of docs/results.md
	$(RUN) -m benchmarks.bench_say_select
	$(RUN) -m benchmarks.bench_prior
	$(RUN) -m benchmarks.bench_hanabi

prove: setup  ## play over 10,000 games of Hanabi beside hanabi-learning-environment and compare every move
	$(RUN) -m benchmarks.prove_hanabi --games 10000 --jobs 2
