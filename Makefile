# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A Python of version 3.11 or newer; all else is installed below .build.
PYTHON ?= python3

BUILD := .build
VENV := $(BUILD)/venv
BIN := $(CURDIR)/$(VENV)/bin
PINS := tests/requirements.txt tests/constraints.txt
SOURCE := $(BUILD)/source/ansible_collections/unitwright/systemd
TREE := $(BUILD)/tree/ansible_collections/unitwright/systemd
# Its wheel holds the connection plugins for containers.
ANSIBLE_WHEEL := ansible==12.3.0
# They bring seventy more packages, so they have an environment of their own.
DOCS_TOOLS := antsibull-docs==2.28.0 sphinx==9.0.4 sphinx-ansible-theme==0.10.4 ansible-pygments==0.1.2
PLUGINS := ansible_collections.unitwright.systemd.plugins
# What has commas between runs two at a time.
STAGES := setup sanity,lint,unit,molecule,upgrade integration
# Containers that `make integration` runs on at once, each with tests of its own. 0: one, in the same process as pytest.
WORKERS ?= $(if $(UNITWRIGHT_HOST),0,4)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(BUILD)/collections
export ANSIBLE_HOME := $(CURDIR)/$(BUILD)/ansible
export ANSIBLE_PIPELINING := true
export PYTHONDONTWRITEBYTECODE := 1

# Ansible's tools call each other by name.
RUN := PATH="$(BIN):$$PATH"
PY := $(RUN) python3
DOCS_RUN := PATH="$(CURDIR)/$(BUILD)/docs/bin:$(BIN):$$PATH"
PYTEST := $(RUN) pytest --override-ini=cache_dir=$(BUILD)/pytest
# The connection plugin of the engine that works here.
CONNECTED = UNITWRIGHT_ENGINE="$$($(PY) -m tests.testbed engine)" \
            UNITWRIGHT_CONNECTION="$$($(PY) -m tests.testbed connection)" $(RUN)

.PHONY: help
help: ## Print the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; \
	  do printf '%-14s%s\n' "$$target" "$$text"; done

.PHONY: demo
demo: setup ## Put the demo's services under a systemd in a container, and show what runs
	@$(PY) -m tests.testbed up unitwright-demo
	@$(CONNECTED) ansible-playbook -i demo/inventory demo/prepare.yml unitwright.systemd.site demo/show.yml

.PHONY: demo-down
demo-down: ## Remove the demo's container
	@$(PYTHON) -m tests.testbed down unitwright-demo

.PHONY: test
test: tools ## Run lint, sanity, unit, upgrade, integration and molecule; after one has failed no other begins
	@MAKE="$(MAKE)" $(PY) -m tests.tooling.stages $(STAGES)

.PHONY: test-all
test-all: tools ## Run the same, then Molecule's other scenarios and the page of a report, and say what is left out
	@MAKE="$(MAKE)" $(PY) -m tests.tooling.left_out $(STAGES) walk browser reboot versions catalogue recipes vm

.PHONY: reboot
reboot: setup ## Run Molecule's scenario of drills and a reboot
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(CONNECTED) molecule test --scenario-name reboot

.PHONY: versions
versions: setup ## Run Molecule's scenario of all four versions of systemd
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(CONNECTED) molecule test --scenario-name versions

.PHONY: catalogue
catalogue: setup ## Run Molecule's scenario of the examples
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(CONNECTED) molecule test --scenario-name catalogue

.PHONY: recipes
recipes: setup ## Run Molecule's scenario of the recipes of hardening
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(CONNECTED) molecule test --scenario-name recipes

.PHONY: vm
vm: artifact $(BUILD)/connections ## Run Molecule's scenario of a virtual machine: a kernel that enforces limits, a true reboot
	@$(PYTHON) -m tests.testbed prepare --machine
	@MOLECULE_GLOB='molecule/*/molecule.yml' UNITWRIGHT_ENGINE= $(RUN) molecule test --scenario-name vm

.PHONY: lint
lint: artifact $(SOURCE) ## Check style, types and YAML: ruff, mypy, yamllint, ansible-lint
	$(RUN) ruff check --cache-dir $(BUILD)/ruff .
	$(RUN) ruff format --cache-dir $(BUILD)/ruff --check .
	$(RUN) mypy --python-version 3.8 $(addprefix -p $(PLUGINS).,doc_fragments module_utils modules)
	$(RUN) mypy --python-version 3.11 $(addprefix -p $(PLUGINS).,filter action lookup plugin_utils)
	$(RUN) mypy --python-version 3.11 -p tests.testbed -p tests.tooling -p tests.benchmarks -p tests.upgrade -p tests.corpus -p tests.faults.walk
	$(RUN) yamllint --strict .
	$(RUN) ansible-lint

.PHONY: sanity
sanity: tools ## Run ansible-test's sanity checks
	@$(PY) -m tests.tooling.sanity

.PHONY: unit
unit: tools $(SOURCE) ## Test what needs no systemd
	@$(PYTEST) $(or $(TESTS),tests/unit) $(PYTEST_ARGS)

.PHONY: integration
integration: setup $(SOURCE) ## Test the modules against a systemd in a container
	@$(PYTEST) --numprocesses=$(WORKERS) --dist=worksteal $(or $(TESTS),tests/integration) $(PYTEST_ARGS)

.PHONY: upgrade
upgrade: artifact image $(SOURCE) ## Test that what an earlier version applied or left half done is taken over
	@$(PYTEST) --numprocesses=auto --maxprocesses=4 --dist=worksteal $(or $(TESTS),tests/upgrade) $(PYTEST_ARGS)

.PHONY: molecule
molecule: setup ## Run Molecule's default scenario
	@MOLECULE_GLOB='molecule/*/molecule.yml' $(CONNECTED) molecule test $(MOLECULE_ARGS)

.PHONY: bench
bench: setup ## Measure the cost of the modules
	@$(CONNECTED) python3 -m tests.benchmarks

.PHONY: faults
faults: artifact image $(SOURCE) ## Kill the modules at every step
	@$(PYTEST) --numprocesses=auto --maxprocesses=4 --dist=worksteal $(or $(TESTS),tests/faults) $(PYTEST_ARGS)

.PHONY: walk
walk: artifact image $(SOURCE) ## Go a random walk of runs, kills, reboots and other people's changes: SEED=, STEPS=
	@$(PY) -m tests.faults.walk $(if $(SEED),--seed $(SEED)) $(if $(STEPS),--steps $(STEPS))

.PHONY: corpus
corpus: artifact prepare $(SOURCE) ## Give every unit file of Debian's packages to the modules
	@PYTHONPATH=$(BUILD)/source $(PY) -m tests.corpus $(CORPUS_ARGS)

.PHONY: hardening
hardening: setup $(SOURCE) ## Harden real services by recipes and by searches, which takes a while
	@$(PYTEST) $(or $(TESTS),tests/hardening) $(PYTEST_ARGS)

.PHONY: browser
browser: tools $(SOURCE) ## Look at the page of a report in Chromium
	@$(PYTHON) -m tests.testbed prepare --browser
	@$(PYTEST) $(or $(TESTS),tests/browser) $(PYTEST_ARGS)

.PHONY: docs
docs: artifact $(BUILD)/docs/pins ## Check the documentation's markup and links, and build its site
	@cd $(TREE) && $(DOCS_RUN) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs all .
	@mkdir -p -m 755 $(BUILD)/site/rst
	@$(DOCS_RUN) antsibull-docs collection --use-current --squash-hierarchy --cleanup everything --fail-on-error \
	  --dest-dir $(BUILD)/site/rst unitwright.systemd
	@$(DOCS_RUN) sphinx-build -q -W --keep-going -c docs $(BUILD)/site/rst $(BUILD)/site/html
	@echo $(BUILD)/site/html/index.html

.PHONY: rules
rules: tools $(SOURCE) ## Write the documentation's page of rules, and tables of hardening and causes
	@PYTHONPATH=$(BUILD)/source $(PY) -m tests.tooling.rules
	@PYTHONPATH=$(BUILD)/source $(PY) -m tests.tooling.hardening
	@PYTHONPATH=$(BUILD)/source $(PY) -m tests.tooling.causes

.PHONY: setup
setup: artifact image $(BUILD)/connections ## Install all that the demo and the tests need

.PHONY: artifact
artifact: tools ## Build the collection and install it below .build
	@$(PY) -m tests.tooling.artifact

.PHONY: image
image: prepare ## Build the image of a container with systemd
	@$(PYTHON) -m tests.testbed image

.PHONY: prepare
prepare: ## Install the container engine and its helpers where they are missing
	@$(PYTHON) -m tests.testbed prepare

.PHONY: tools
tools: $(VENV)/pins ## Make the virtual environment with the pinned tools

.PHONY: clean
clean: ## Remove this checkout's containers and all scratch files; images stay
	@$(PYTHON) -m tests.testbed down --all
	rm -rf $(BUILD)

$(VENV)/pins: $(PINS)
	@$(PYTHON) -m tests.testbed prepare --tools
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -r $(word 1,$(PINS)) -c $(word 2,$(PINS))
	@touch $@

$(BUILD)/connections: $(VENV)/pins Makefile tests/tooling/connections.py
	@$(PY) -m tests.tooling.connections '$(ANSIBLE_WHEEL)'
	@touch $@

$(BUILD)/docs/pins: Makefile
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -qq --disable-pip-version-check $(DOCS_TOOLS)
	@touch $@

$(SOURCE):
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR) $@
