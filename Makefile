# Makes .venv from the lock, then hands every target to just; the recipes are in the justfile.
# All paths are relative: GNU make cannot handle a checkout whose path contains a space otherwise.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.PHONY: default always

default: .venv/installed
	@.venv/bin/just

.venv/installed: requirements/install.sh requirements/dev.txt requirements/uv.txt
	@sh requirements/install.sh

Makefile requirements/install.sh requirements/dev.txt requirements/uv.txt: ;

# `make annotate clinvar` is one call of just with two words, made by the first of them.
# Options would be taken by make itself: `make annotate ARGS="clinvar --wait"`.
%: always .venv/installed
	@$(if $(filter $@,$(firstword $(MAKECMDGOALS))),.venv/bin/just $(foreach word,$(MAKECMDGOALS),'$(word)') $(ARGS),:)
