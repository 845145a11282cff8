# `make help` lists the commands. Needs GNU make 3.81, Python ≥ 3.11 (PYTHON=… names one) and a package index.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
STAGE ?= default
N ?= 5000
SEED ?= 1
# `make requirements` takes no package published after this day: the same command gives the same pins.
PUBLISHED_BEFORE ?= 2026-11-20

python := .venv/bin/python
# SAM wants a region even where it asks no service, and a folder of its own that a home need not have.
sam := SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR='$(CURDIR)/.venv-sam/app' .venv-sam/bin/python -m samcli
compile := .venv-tools/bin/python -m uv pip compile pyproject.toml --quiet --universal --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --exclude-newer $(PUBLISHED_BEFORE)

# Lambda's own version goes first. A version manager's shim may not run, so its folder is looked into as well.
managed = $(sort $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.13*/bin/python3.13 \
	$(or $(UV_PYTHON_INSTALL_DIR),$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/uv/python)/cpython-3.13.*/bin/python3.13))
# The first interpreter that runs, is new enough and can make environments.
install = @for found in $(or $(PYTHON),python3.13 $(managed) python3.12 python3.11 python3.14 python3) ""; do \
	"$$found" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; done; \
	[ -n "$$found" ] || { echo "Omoide needs Python 3.11 or newer with venv and pip (Debian: python3-venv); PYTHON=… names one." >&2; exit 1; }; \
	"$$found" -m tools.environment

# Environments start often, in `make run` and in the tests: without bytecode each would compile the sources anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test quick clients browser fuzz chaos build deploy outputs user adopt rehearse key lint format openapi conformance bench recall plots pictures page cost python requirements clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: .venv/.run ## Start the server with its embedded parts [PORT=8000 LOG=json AUTHORIZER=keys]
	@PYTHONPATH="$$($(python) -m tools.paths)" exec $(python) -m local --port $(PORT)

test: ## Run the tests [ARGS='tests/unit -k keys']
	@# Those of the artefact come late, and wait for what is installed and, where all tests run, built meanwhile.
	@{ $(MAKE) --silent .venv-sam/.installed && $(if $(ARGS),true,.venv-sam/bin/python -m tools.build --arch host) \
		>/dev/null 2>&1; } & $(MAKE) .venv/.dev && \
		$(python) -m pytest --numprocesses auto --ignore tests/browser $(ARGS); code=$$?; wait; exit $$code

quick: .venv/.dev ## Run the unit and infra tests alone [ARGS='-k keys']
	@$(python) -m pytest --numprocesses auto tests/unit tests/infra $(ARGS)

clients: .venv/.run .venv-clients/.installed ## Run the clients that apps use against the dev server [ARGS='-k agents']
	@# Others' warnings are theirs; the fixtures of the tests around need what is not installed here.
	@.venv-clients/bin/python -m pytest --override-ini filterwarnings=ignore --confcutdir tests/e2e/clients tests/e2e/clients $(ARGS)

browser: .venv/.dev .venv/.browser ## Run the tests of the page, in Chromium [ARGS='-k keyboard']
	@$(python) -m pytest tests/browser $(ARGS)

fuzz: .venv/.dev ## Send broken requests to every route [N=5000 SEED=1]
	@FUZZ_INPUTS=$(N) FUZZ_SEED=$(SEED) $(python) -m pytest --show-capture no tests/fuzz

chaos: .venv/.dev ## Let everything fail at once while callers talk [TURNS=120 SEED=1]
	@CHAOS_TURNS=$(or $(TURNS),120) CHAOS_SEED=$(SEED) $(python) -m pytest --show-capture no tests/fault/test_chaos.py

build: .venv-sam/.installed ## Build the layer and the functions for sam deploy, without Docker [STAGE, ARGS as deploy]
	@.venv-sam/bin/python -m tools.build $(if $(ARCH),--arch $(ARCH)) --stage $(STAGE) $(ARGS)

deploy: build ## Deploy the stack [STAGE=staging or prod, see samconfig.toml] [ARGS=--no-confirm-changeset]
	@$(sam) deploy --config-file '$(CURDIR)/samconfig.toml' --config-env $(STAGE) $(ARGS)

outputs: .venv-sam/.installed ## Print the outputs of the deployed stack, each command in one line [STAGE]
	@.venv-sam/bin/python -m tools.outputs $(STAGE) $(ARGS)

user: .venv-sam/.installed ## Make a user of the deployed stack, with a token at once: EMAIL=… [STAGE]
	@$(if $(EMAIL),,$(error EMAIL=… names the user)).venv-sam/bin/python -m tools.user $(STAGE) '$(EMAIL)' $(ARGS)

adopt: .venv-sam/.installed ## Give the kept table and user pool of a deleted stack to a new one: TABLE=… POOL=… [STAGE]
	@$(if $(and $(TABLE),$(POOL)),,$(error TABLE=… and POOL=… name them)).venv-sam/bin/python -m tools.adopt \
		$(STAGE) '$(TABLE)' '$(POOL)' $(ARGS)

rehearse: .venv/.dev .venv-sam/.installed ## Deploy the stack to an AWS on this machine, use it, update it, take it down
	@PYTHONPATH="$$($(python) -m tools.paths)" $(python) -m tests.rehearsal

key: .venv-sam/.installed ## Make an API key: TENANT=… [KIND=app NAME=… DAYS=…]; list them: LIST=1; revoke one: REVOKE=… [STAGE]
	@AWS_PAGER= PYTHONPATH="$$(.venv-sam/bin/python -m tools.paths)" .venv-sam/bin/python -m tools.api_key $(STAGE) $(if \
		$(LIST),list,$(if $(REVOKE),revoke '$(REVOKE)',$(if $(TENANT),make '$(TENANT)' --kind $(or $(KIND),user) \
		--name '$(NAME)' $(if $(DAYS),--days $(DAYS)),$(error TENANT=… names who the key speaks for)))) $(ARGS)

lint: .venv/.dev .venv-sam/.installed ## Check style, types and the template
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	PYTHONPATH="$$($(python) -m tools.paths)" $(dir $(python))lint-imports
	$(python) -m mypy layers functions local tools tests benchmarks
	AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(sam) validate --lint

format: .venv/.dev ## Format the code and put right what ruff can
	@$(python) -m ruff check --fix-only .
	@$(python) -m ruff format .

openapi: .venv/.dev ## Write docs/openapi.json, the API's description
	@PYTHONPATH="$$($(python) -m tools.paths)" $(python) -m tools.openapi

conformance: .venv/.dev ## Run a file of cases against the code: FILE=tests/cases/windows.json [ONLY='CT-*']
	@$(if $(FILE),,$(error FILE=… names the file of cases))PYTHONPATH="$$($(python) -m tools.paths)" \
		exec $(python) -m tests.conformance '$(FILE)' $(if $(ONLY),--only '$(ONLY)')

bench: .venv/.dev .venv-bench/.installed ## Measure Omoide beside LangChain + Momento: benchmarks/results.json, docs/performance.md [ONLY='cold turns' DATA=…]
	@PYTHONPATH="$$($(python) -m tools.paths)" DATA='$(DATA)' $(python) -m benchmarks $(ONLY); \
		code=$$?; $(python) -m tools.plots; exit $$code

recall: .venv/.dev ## Compare recall with LangChain's: FILE=conversations.json [UNRELATED=requests.json]
	@$(if $(FILE),,$(error FILE=… names the file of conversations))$(python) benchmarks/recall.py '$(FILE)' \
		$(if $(UNRELATED),--unrelated '$(UNRELATED)')

plots: .venv/.dev ## Draw what make bench found: docs/plots, and the figures beside them in README and docs
	@$(python) -m tools.plots

pictures: .venv/.run .venv/.browser ## Take the page's pictures in Chromium: docs/pictures
	@$(python) -m tools.pictures

page: .venv/.dev .venv/.browser ## Measure in Chromium how soon the page can be used, and shows the first words
	@PYTHONPATH="$$($(python) -m tools.paths)" $(python) -m benchmarks.page

cost: .venv/.run ## Tell what turns cost [ARGS='--turns 1000000 --history 10000 --policy message_window --sent 1111']
	@$(python) -m tools.cost $(ARGS)

python: .venv/.dev ## Print the path of the project's interpreter, on the last line
	@echo '$(abspath $(python))'

requirements: .venv-tools/.installed ## Pin the dependency groups of pyproject.toml again
	$(compile) --python-version 3.11 --group dev --output-file requirements/dev.txt
	$(compile) --python-version 3.11 --group browser --constraint requirements/dev.txt --output-file requirements/browser.txt
	$(compile) --python-version 3.11 --group run --constraint requirements/dev.txt --output-file requirements/run.txt
	$(compile) --python-version 3.11 --group layer --constraint requirements/dev.txt --output-file requirements/layer.txt
	$(compile) --python-version 3.13 --group authorizer --constraint requirements/dev.txt --output-file requirements/authorizer.txt
	$(compile) --python-version 3.13 --group lambda --constraint requirements/dev.txt --output-file requirements/lambda.txt
	$(compile) --python-version 3.11 --group bench --constraint requirements/dev.txt --output-file requirements/bench.txt
	$(compile) --python-version 3.13 --group rehearse --output-file requirements/rehearse.txt
	$(compile) --python-version 3.11 --group clients --output-file requirements/clients.txt
	$(compile) --python-version 3.11 --group sam --output-file requirements/sam.txt
	$(compile) --python-version 3.11 --group tools --output-file requirements/tools.txt

clean: ## Remove the environments, artefacts and caches
	rm -rf .venv .venv-clients .venv-sam .venv-lambda .venv-rehearse .venv-tools .venv*.lock .aws-sam .aws-sam-host .aws-sam*.lock \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/.run: requirements/run.txt
	$(install) .venv $< $@

.venv/.dev: requirements/dev.txt
	$(install) .venv $< $@

.venv-clients/.installed: requirements/clients.txt
	$(install) .venv-clients $< $@

.venv/.browser: requirements/browser.txt
	$(install) .venv $< $@

.venv-sam/.installed: requirements/sam.txt
	$(install) .venv-sam $< $@

.venv-bench/.installed: requirements/bench.txt
	$(install) .venv-bench $< $@

.venv-tools/.installed: requirements/tools.txt
	$(install) .venv-tools $< $@
