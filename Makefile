# The one door to the project: `make` lists the verbs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/layers/shared:$(CURDIR)/functions/predict:$(CURDIR)/functions/retrain:$(CURDIR)/functions/score:$(CURDIR)/local:$(CURDIR)
# bytecode is made when a module is first used, and must then be kept: without it every import takes seconds
unexport PYTHONDONTWRITEBYTECODE
# threads of LightGBM that spin while they wait for each other take several times the CPU where other work shares the cores
export OMP_WAIT_POLICY := PASSIVE
# sam reports usage and looks for newer versions over the network unless told otherwise
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment -----------------------------------------------------------------------------------------

.PHONY: env
env: $(READY) ## create .venv from the locked requirements (done by the other verbs when needed)

$(READY): requirements/dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) was not found; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1); name another: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked requirements into $(VENV) (about a minute)"
	@# the lock is the whole closure, so nothing needs resolving
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements/dev.txt
	@# editors that use this environment resolve every import, too
	@printf '%s\n' $(addprefix $(CURDIR)/,layers/shared functions/predict functions/retrain functions/score local) > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/monitory.pth"
	@touch $@

# the C part of the shared package, without which everything works; in artifacts it is compiled by `build`
NATIVE := layers/shared/monitory/features/libuniform.so

.PHONY: native
native: $(NATIVE) ## compile the C part for this machine (done by check, test, test-faults, fuzz and bench)

$(NATIVE): layers/shared/monitory/features/uniform.c requirements/compiler.txt local/monitory_local/artifacts/native.py | $(READY)
	@$(BIN)/python -m monitory_local.artifacts.native $@

# the tools that attack, the policy linter and the emulator, each in an environment of its own
FUZZ_BIN := .venv-fuzz/bin
FUZZ_READY := .venv-fuzz/.ready
POLICY_READY := .venv-policy/.ready
DEPLOY_READY := .venv-deploy/.ready

# the interpreter of Lambda's version; empty where there is none
DEPLOYED_PYTHON = $(shell PYTHONPATH=local:layers/shared $(BIN)/python -c 'from monitory_local.artifacts.build import find_compiler; print(find_compiler() or "")')

# the emulator runs the functions in its own process's Python, so it has to be theirs
$(DEPLOY_READY): PYTHON = $(or $(DEPLOYED_PYTHON),python3.13)
$(DEPLOY_READY): | $(READY)

.venv-%/.ready: requirements/%.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) was not found; .venv-$* needs it: install it, or put it on PATH" >&2; exit 1; }
	@test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	@echo "installing the locked requirements into .venv-$*"
	@.venv-$*/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile --require-hashes -r $<
	@touch $@

UV_COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --no-config --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade)
LAMBDA_COMPILE := $(UV_COMPILE) --python-version 3.13 --python-platform linux --constraints requirements/dev.txt

.PHONY: lock
lock: $(READY) ## recompile the requirement locks from the .in files (UPGRADE=1 takes newer releases)
	$(UV_COMPILE) --universal --python-version 3.11 --no-strip-extras requirements/dev.in --output-file requirements/dev.txt
	$(UV_COMPILE) --universal --python-version 3.11 --no-strip-extras --constraints requirements/dev.txt requirements/fuzz.in --output-file requirements/fuzz.txt
	$(UV_COMPILE) --universal --python-version 3.11 --no-strip-extras requirements/policy.in --output-file requirements/policy.txt
	$(UV_COMPILE) --universal --python-version 3.13 requirements/deploy.in --output-file requirements/deploy.txt
	$(UV_COMPILE) --universal --python-version 3.11 requirements/compiler.in --output-file requirements/compiler.txt
	$(LAMBDA_COMPILE) layers/shared/requirements.in --output-file layers/shared/requirements.txt
	$(LAMBDA_COMPILE) --no-deps layers/shared/requirements-native.in --output-file layers/shared/requirements-native.txt
	$(LAMBDA_COMPILE) functions/predict/requirements.in --output-file functions/predict/requirements.txt
	$(LAMBDA_COMPILE) functions/retrain/requirements.in --output-file functions/retrain/requirements.txt

# --- running it on this machine --------------------------------------------------------------------------

# An S3 that AWS_ENDPOINT_URL names is used; otherwise an embedded one, whose data lies in FOLDER (.local/s3).
# A variable reaches the shell through the environment, so that no character of it means anything on the way.
flag = $(if $($(2)),--$(1) "$$$(2)")
FOLDER_FLAG = $(call flag,folder,FOLDER)

.PHONY: demo
demo: $(READY) ## simulate a month, retrain, predict every machine (SEED=, MACHINES=)
	@$(BIN)/python -m monitory_local.demo $(FOLDER_FLAG) $(call flag,seed,SEED) $(call flag,machines,MACHINES)

.PHONY: example
example: $(READY) ## public data as a factory: import, train, predict hour by hour (CMAPSS=CMAPSSData.zip; docs/example.md)
	@test -n "$(CMAPSS)" || { echo 'error: where is the data? make example CMAPSS=CMAPSSData.zip; docs/example.md says where it comes from' >&2; exit 2; }
	@$(BIN)/python -m monitory_local.example "$$CMAPSS" $(FOLDER_FLAG)

.PHONY: serve
serve: $(READY) ## the API on 127.0.0.1:8000 beside a simulated factory (PORT=, FOLDER=)
	@$(BIN)/python -m monitory_local.serve $(FOLDER_FLAG) $(call flag,port,PORT)

.PHONY: import
import: $(READY) ## CSV history and maintenance tables into the lake (CSV= RECORDS= MAPPING= LOOKOUT= LABELS= DRY=1; docs/your-data.md)
	@$(BIN)/python -m monitory_local.importing $(if $(CSV),"$$CSV") $(call flag,mapping,MAPPING) $(call flag,records,RECORDS) \
		$(call flag,kind,KIND) $(call flag,lookout,LOOKOUT) $(call flag,labels,LABELS) $(call flag,components,COMPONENTS) \
		$(call flag,zone,ZONE) $(call flag,equip,EQUIP) $(call flag,time-zone,TIME_ZONE) $(if $(DRY),--dry-run) $(FOLDER_FLAG)

.PHONY: s3
s3: $(READY) ## the embedded S3 alone, with empty buckets; prints the environment for other clients (FOLDER=)
	@$(BIN)/python -m monitory_local.s3 $(FOLDER_FLAG) --bucket monitory-bucket --bucket monitory-model

.PHONY: invoke-predict
invoke-predict: $(READY) ## call the predict handler (EVENT=file or JSON, or ZONE= EQUIP=)
	@$(BIN)/python -m monitory_local.lambdas.invoke predict $(FOLDER_FLAG) \
		$(call flag,event,EVENT) $(call flag,zone,ZONE) $(call flag,equip,EQUIP)

.PHONY: invoke-score
invoke-score: $(READY) ## call the score handler: every machine with new objects
	@$(BIN)/python -m monitory_local.lambdas.invoke score $(FOLDER_FLAG)

.PHONY: invoke-retrain
invoke-retrain: $(READY) ## call the retrain handler (EVENT=file or JSON, or MONTH= SAMPLE=, or START= END=)
	@$(BIN)/python -m monitory_local.lambdas.invoke retrain $(FOLDER_FLAG) \
		$(call flag,event,EVENT) $(call flag,month,MONTH) $(call flag,sample,SAMPLE) \
		$(call flag,start,START) $(call flag,end,END) $(call flag,promote,PROMOTE)

.PHONY: openapi
openapi: $(READY) ## docs/openapi.json, after a change of the API
	@$(BIN)/python -m monitory_local.openapi docs/openapi.json

.PHONY: check-lake
check-lake: $(READY) ## what a lake holds, what is wrong with it, what to do first; a page with pictures (FOLDER=, JSON=1, PAGE=)
	@$(BIN)/python -m monitory_local.lambdas.check_lake $(FOLDER_FLAG) $(if $(JSON),--json) $(call flag,page,PAGE)

.PHONY: pictures
pictures: $(READY) ## the pictures of the documentation: runs the demo, needs Chromium
	@$(BIN)/python -m monitory_local.pictures

# --- checks ----------------------------------------------------------------------------------------------

# a process per core; each starts an S3 server of its own, and takes modules in the order of their folders
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

# a process per core leaves one core each: threads that wait for others in vain cost training a multiple of its time
check test: export OMP_NUM_THREADS := 1

# types are checked beside the tests, for they take a minute when all is new; what they say comes after the tests' output
define beside_types
	@mkdir -p .mypy_cache; $(MAKE) --no-print-directory types >.mypy_cache/types.txt 2>&1 & types=$$!; \
	$(1); tests=$$?; wait $$types; types=$$?; cat .mypy_cache/types.txt; exit $$((tests | types))
endef

.PHONY: check
check: style $(NATIVE) ## lint, types, import direction and unit tests: the verb for every save
	$(call beside_types,$(BIN)/pytest -q $(PARALLEL) --hypothesis-profile=quick -m "not slow" $(or $(TESTS),tests/unit))

.PHONY: check-deployed
check-deployed: $(READY) ## check on the Python that Lambda runs, where .venv has another one
	@case "$(DEPLOYED_PYTHON)" in \
		"") echo "skipped: install Python 3.13, which Lambda runs" ;; \
		$(CURDIR)/$(BIN)/*) echo ".venv has the Python that Lambda runs: make check" ;; \
		*) $(MAKE) --no-print-directory check VENV=.venv-3.13 PYTHON=$(DEPLOYED_PYTHON) TESTS="tests/unit tests/integration/test_parity.py" ;; \
	esac

.PHONY: test
test: style $(NATIVE) ## lint, types, import direction and all tests but those of policies, test-deploy and test-faults
	$(call beside_types,$(BIN)/pytest $(PARALLEL) -m "not slow" --ignore=tests/deploy --ignore=tests/faults --ignore=tests/fuzz --ignore=tests/template/test_policy_linter.py)

.PHONY: test-faults
test-faults: $(READY) $(FUZZ_READY) $(NATIVE) ## every fault, race, crash point and the soak; prints what was tried and lost (for minutes)
	$(BIN)/pytest tests/faults tests/fuzz

.PHONY: test-deploy
test-deploy: $(READY) $(DEPLOY_READY) ## the stack deployed on an emulator: its gateway, events, roles and end (for minutes)
	$(BIN)/pytest --timeout=600 tests/deploy

.PHONY: policies
policies: $(READY) $(POLICY_READY) ## the transformed template under a policy linter, without network
	$(BIN)/pytest tests/template/test_policy_linter.py

.PHONY: fuzz
fuzz: $(FUZZ_READY) $(NATIVE) ## fuzz the decoders for SECONDS=60, guided by coverage where atheris installs
	@$(FUZZ_BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60)

.PHONY: fuzz-native
fuzz-native: $(READY) $(NATIVE) ## MUTANTS=1000000 objects through the C part under sanitizers (a system's cc), beside Python
	@$(BIN)/python -m tests.fuzz.sanitized --mutants $(or $(MUTANTS),1000000)

.PHONY: audit
audit: $(FUZZ_READY) ## known vulnerabilities of every deployed package, from the registry and a dated list
	@$(FUZZ_BIN)/python -m monitory_local.artifacts.audit

.PHONY: licences
licences: $(READY) ## licences of every deployed package
	@$(BIN)/python -m monitory_local.artifacts.audit --licences

.PHONY: lint
lint: style types ## ruff, mypy and the import direction

.PHONY: style
style: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: types
types: $(READY)
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## sort imports, mend what can be mended, format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# --- artifacts -------------------------------------------------------------------------------------------

.PHONY: build
build: $(READY) ## the zip functions and the layer into .aws-sam/build, without Docker (ARCH=x86_64 or arm64)
	@$(BIN)/python -m monitory_local.artifacts.build $(call flag,arch,ARCH)

.PHONY: image
image: ## the retrain function's image, with Docker
	@# Lambda takes one image, and no index of an image and its attestations
	docker build --provenance=false --sbom=false --file functions/retrain/Dockerfile --tag monitory-retrain .

# --- measuring -------------------------------------------------------------------------------------------

.PHONY: bench
bench: $(READY) $(NATIVE) ## cost of a prediction, of a night and under load, beside a reference
	@for part in predict predict_stored contributions ingest second_night load; do \
		echo "# $$part" && $(BIN)/python -m benchmarks.$$part || exit 1; \
	done

.PHONY: bench-mechanisms
bench-mechanisms: $(READY) $(NATIVE) ## what each cache, pool and trick gains: the same work with it and without it
	@$(BIN)/python -m benchmarks.mechanisms && $(BIN)/python -m benchmarks.mechanisms_retrain

.PHONY: bench-scoring
bench-scoring: $(READY) $(NATIVE) ## seconds, memory and requests of an hour of scoring for 1,000 machines (MACHINES=)
	@$(BIN)/python -m benchmarks.scoring $(call flag,machines,MACHINES)

.PHONY: bench-trends
bench-trends: $(READY) ## bytes and seconds of the trends and the fleet page of 1,000 machines (MACHINES=)
	@$(BIN)/python -m benchmarks.trends $(call flag,machines,MACHINES)

.PHONY: bench-scale
bench-scale: $(READY) $(NATIVE) ## growth with machines and days, with a plot (PLOT=file.svg DAYS=30)
	@$(BIN)/python -m benchmarks.scale $(call flag,plot,PLOT) $(call flag,days,DAYS)

.PHONY: bench-backfill
bench-backfill: $(READY) $(NATIVE) ## a backfill in batches beside one process, the same bytes (MACHINES= DAYS=)
	@$(BIN)/python -m benchmarks.backfill $(call flag,machines,MACHINES) $(call flag,days,DAYS)

.PHONY: bench-cold-start
bench-cold-start: $(READY) ## cold start of the built artifact, beside the reference stack
	@$(BIN)/python -m benchmarks.cold_start

.PHONY: bench-training
bench-training: $(READY) ## seconds and memory of training for 1,000 machines (MACHINES=, DAYS=)
	@$(BIN)/python -m benchmarks.training $(call flag,machines,MACHINES) $(call flag,days,DAYS)

.PHONY: costs
costs: $(READY) ## what a night costs by factory size, from measured figures (OBJECT_MS= ROW_MS= ROW_BYTES=, INSTANCE_HOUR=)
	@test -n "$(and $(OBJECT_MS),$(ROW_MS),$(ROW_BYTES))" || { echo 'error: which figures? make costs OBJECT_MS=2.4 ROW_MS=0.1 ROW_BYTES=520 (from bench-scale and bench-training)' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.costs --object-ms $(OBJECT_MS) --row-ms $(ROW_MS) --row-bytes $(ROW_BYTES) $(call flag,instance-hour,INSTANCE_HOUR)

.PHONY: bench-factory
bench-factory: $(READY) ## model quality in simulated factories whose future is known (SCENARIO="long-21d short" SEEDS=3 VARIANT=)
	@$(BIN)/python -m benchmarks.scenarios $(SCENARIO) $(call flag,seeds,SEEDS) $(call flag,variant,VARIANT)

.PHONY: bench-recipes
bench-recipes: $(READY) ## the product beside simpler recipes and the ancestor's, in a simulated factory
	@$(BIN)/python -m benchmarks.factory

.PHONY: bench-modes
bench-modes: $(READY) ## how often the failure mode ahead is named, and rightly, in a simulated factory (SEED=)
	@$(BIN)/python -m benchmarks.failure_modes $(call flag,seed,SEED)

.PHONY: bench-replace
bench-replace: $(READY) ## long-run cost of replacing by the answers' date, beside other rules (UNPLANNED=5 MACHINES= SEED=)
	@$(BIN)/python -m benchmarks.replace_by $(call flag,unplanned,UNPLANNED) $(call flag,machines,MACHINES) $(call flag,seed,SEED)

.PHONY: bench-alerts
bench-alerts: $(READY) ## what people are told in a simulated week of 200 machines, hour by hour, beside the truth (MACHINES= SEED=)
	@$(BIN)/python -m benchmarks.alerts $(call flag,machines,MACHINES) $(call flag,seed,SEED)

.PHONY: bench-page
bench-page: $(READY) ## the fleet of 20, 1,000 and 10,000 machines in Chromium: paints, bytes, heap, frames while scrolling
	@$(BIN)/python -m benchmarks.page

.PHONY: bench-spikes
bench-spikes: $(READY) ## failures found in readings beside the true ones, at many rates, with sensors that lie (RATES="1 720")
	@$(BIN)/python -m benchmarks.spikes $(if $(RATES),--rates $(RATES))

.PHONY: bench-quality
bench-quality: $(READY) ## model quality on C-MAPSS (CMAPSS=folder SUBSETS="FD001 FD003" REGIMES= ENGINES= CENSORED= FOLDS= SEEDS= VARIANT=)
	@test -n "$(CMAPSS)" || { echo 'error: where is the data? make bench-quality CMAPSS=folder SUBSETS="FD001 FD003"' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.quality "$(CMAPSS)" $(or $(SUBSETS),FD001 FD003) $(call flag,regimes,REGIMES) $(call flag,engines,ENGINES) $(call flag,censored,CENSORED) $(call flag,folds,FOLDS) $(call flag,seeds,SEEDS) $(call flag,variant,VARIANT)

# --- tidy ------------------------------------------------------------------------------------------------

.PHONY: clean
clean: ## remove caches, built artifacts and local data; the environment stays
	rm -rf .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './$(VENV)*/*' -prune -exec rm -rf {} +
