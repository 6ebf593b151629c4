# Every target sets itself up in .venv; the first run downloads, later runs work offline.
PYTHON ?= python3
WORKSPACE ?= .
BIN := .venv/bin
READY := .venv/.ready
PACKAGES := data_contracts features models pipeline serving

# Nothing calls home, and timings do not depend on who else uses OpenMP.
export BENTOML_DO_NOT_TRACK := True
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := False
export MLFLOW_DISABLE_TELEMETRY := true
# Nor does a test or a demo write to a team's registry that this shell happens to name.
unexport MLFLOW_TRACKING_URI

.PHONY: help setup demo test browser screenshots messages test-long check docs docs-links audit serve repro bench bench-quick acceptance format lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(READY) ## Install everything into .venv (seconds when nothing changed)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	  "balance-risk needs Python 3.11, 3.12 or 3.13; " + sys.executable + " is %d.%d. Try: make PYTHON=python3.11" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing pinned dependencies into .venv (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $(READY)

demo: $(READY) ## Simulated firms -> models -> registry -> running service -> one explained risk, printed and drawn
	@$(BIN)/balance-risk demo

test: $(READY) browser ## All tests; the pages in a real Chromium, the service behind a real nginx
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

browser: $(READY) ## Install Debian's Chromium and nginx for the tests that use them, or say in one line what is missing
	@$(BIN)/python -m tests.lib.debian

screenshots: $(READY) browser ## Take the pictures of the pages in docs/images anew, from SYNTHETIC persons
	@BALANCE_RISK_SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser/test_screenshots.py

messages: $(READY) ## Collect the texts of the pages into the English catalogue; what is not translated is named
	@$(BIN)/python -m serving.clinician.extraction

test-long: $(READY) ## Fuzzing, kills, swaps and load against real processes (half an hour)
	@$(BIN)/python -m pytest -m long

check: $(READY) ## Formatting, lint, types, import rules, generated pages current
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pipeline.documentation --check
	@$(BIN)/python -m serving.documentation --check
	@$(BIN)/python -m serving.clinician.extraction --check
	@$(BIN)/python -m pipeline.serving_lock --check
	@$(BIN)/python -m benchmarks.report --check
	@$(BIN)/python -m benchmarks.scale.report --check
	@$(BIN)/python -m pipeline.supply_chain sbom build
	@$(BIN)/python -m pipeline.supply_chain audit

docs: $(READY) ## The documentation as a site in build/docs; a warning is an error
	@$(BIN)/python -m sphinx -q -W --keep-going docs build/docs
	@echo "build/docs/index.html"

docs-links: $(READY) ## Ask every link of the documentation that leads out whether it still does (needs a network)
	@$(BIN)/python -m sphinx -q -b linkcheck docs build/links

audit: $(READY) ## Ask the advisory service about every locked package (part of check; says so where it cannot be reached)
	@$(BIN)/python -m pipeline.supply_chain audit

serve: $(READY) ## Run service and pages on http://127.0.0.1:3000, prints tokens (after the demo: make serve WORKSPACE=demo)
	@$(BIN)/balance-risk serve --workspace $(WORKSPACE)

repro: $(READY) ## Run the pipeline of dvc.yaml with params.yaml; only what a change touches runs again
	@PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro

bench: $(READY) ## All benchmarks, beside other tools in environments of their own, and their pages (seven hours; downloads on first use)
	@$(BIN)/python -m benchmarks.run

bench-quick: $(READY) ## See that every benchmark still runs, with tiny sizes; writes nothing
	@$(BIN)/python -m benchmarks.run --quick

acceptance: $(READY) ## Simulate 50 000 SYNTHETIC persons, hold them against published figures, write docs/simulation_check.md
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	  $(BIN)/balance-risk simulate --workspace "$$scratch" --persons 50000 --seed 7 --check && \
	  $(BIN)/python -m pipeline.simulation_check "$$scratch/data/source/check" docs

format: $(READY) ## Format the code and regenerate the generated pages
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/python -m data_contracts.units
	@$(BIN)/python -m pipeline.documentation
	@$(BIN)/python -m serving.documentation
	@$(BIN)/python -m pipeline.serving_lock

lock: ## Resolve dependencies anew into requirements.lock (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 2; }
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --fork-strategy fewest \
	  --generate-hashes --no-annotate --no-header --quiet -o requirements.lock
	@echo "Next: make setup format (the lock of the service alone follows from it)"

clean: ## Remove what the pipeline made (never .venv)
	@test ! -e bundles || chmod -R u+w bundles
	@test ! -e demo || chmod -R u+w demo
	@rm -rf data demo mlruns mlartifacts bundles mlflow.db .bentoml
