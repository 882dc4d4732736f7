# Installs .venv from the lock, then passes every target to just; the recipes are in the justfile.
# All paths are relative: GNU make cannot handle a checkout whose path contains a space otherwise.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.PHONY: default always

default: .venv/installed
	@.venv/bin/just

.venv/installed: requirements/install.sh requirements/dev.txt requirements/uv.txt
	@sh requirements/install.sh

Makefile requirements/install.sh requirements/dev.txt requirements/uv.txt: ;

# `make annotate clinvar` has two targets: the first one calls just once, with both words.
# make would read options itself, so they go into ARGS: `make annotate ARGS="clinvar --wait"`.
%: always .venv/installed
	@$(if $(filter $@,$(firstword $(MAKECMDGOALS))),.venv/bin/just $(foreach word,$(MAKECMDGOALS),'$(word)') $(ARGS),:)
