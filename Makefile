# Installs the packages that a target needs into .venv, then passes the target to just; the recipes are in the justfile.
# All paths are relative: GNU make cannot handle a checkout whose path contains a space otherwise.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.PHONY: default always

# The lock in requirements/ that a target needs; every other target needs local.txt.
needs.traces = otel
needs.docs = docs
needs.reference = docs
needs.lock = docs
needs.lint = lint
needs.test = test
needs.check-pages = test
needs.check-docs = test
needs.reliability = test
needs.bench = test
installed := .venv/installed-$(or $(needs.$(firstword $(MAKECMDGOALS))),local)

default: $(installed)
	@.venv/bin/just

.venv/installed-%: requirements/%.txt requirements/uv.txt requirements/install.sh
	@sh requirements/install.sh $*

Makefile requirements/install.sh $(wildcard requirements/*.txt): ;

# `make annotate clinvar` has two targets: the first one calls just once, with both words.
# make would read options itself, so they go into ARGS: `make annotate ARGS="clinvar --wait"`.
%: always $(installed)
	@$(if $(filter $@,$(firstword $(MAKECMDGOALS))),.venv/bin/just $(foreach word,$(MAKECMDGOALS),'$(word)') $(ARGS),:)
