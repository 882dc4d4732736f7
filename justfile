# The recipes. `make X` installs the packages that X needs into .venv and then runs `just X`.

set no-exit-message
set positional-arguments
set shell := ["sh", "-eu", "-c"]

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")

# PYTHONPATH finds the project's code from any folder; -P prevents imports from the caller's folder.
# Usage lines name the program that was called.
python := "env CALLED_AS=just PYTHONPATH=" + quote(justfile_directory() / "backend") + " python -P"

[private]
default:
    @just --justfile "{{ justfile() }}" --list --unsorted

# make installs the packages that a recipe needs; just only checks that they are installed
[private]
_installed lock="local":
    @[ -e .venv/installed-{{ lock }} ] || { echo "requirements/{{ lock }}.txt is not installed: run make instead of just, which installs it." >&2; exit 1; }
    @[ ! requirements/{{ lock }}.txt -nt .venv/installed-{{ lock }} ] || echo "requirements/{{ lock }}.txt has changed: run make instead of just, which installs it." >&2

# Run everything offline (LIVE=1: real; KEEP=1: stay)
[group('start here')]
[no-cd]
demo *ARGS: _installed
    @{{ python }} -m demo "$@"

# Run all tests, or some: just test unit
[group('start here')]
test *ARGS: (_installed "test")
    @python -m nox -s tests -- "$@"

# Report problems and the commands that repair them
[group('start here')]
[no-cd]
doctor *ARGS: _installed
    @{{ python }} -m app.cli doctor "$@"

# Start PostgreSQL and Redis, or use running ones
[group('servers')]
[no-cd]
hybrid-up: _installed
    @{{ python }} -m services up

# Stop the servers of hybrid-up; the data stays
[group('servers')]
[no-cd]
hybrid-down: _installed
    @{{ python }} -m services down

# Create the tables, or bring them up to date
[group('servers')]
[no-cd]
migrate: _installed
    @{{ python }} -m app.cli migrate

# Back up the database to a file: just backup [FILE]
[group('servers')]
[no-cd]
backup *ARGS: _installed
    @PATH="$PATH:$({{ python }} -m services programs 2>/dev/null)" {{ python }} -m app.cli backup "$@"

# Restore into an empty database: just restore FILE
[group('servers')]
[no-cd]
restore *ARGS: _installed
    @PATH="$PATH:$({{ python }} -m services programs 2>/dev/null)" {{ python }} -m app.cli restore "$@"

# Start a worker, which executes runs
[group('servers')]
[no-cd]
worker: _installed
    @exec {{ python }} -m arq app.core.arq_worker.WorkerSettings

# Start the API on port 8000
[group('servers')]
[no-cd]
api *ARGS: _installed
    @exec {{ python }} -m app.cli api "$@"

# Install and check what traces need
[group('servers')]
[no-cd]
traces: (_installed "otel")
    @{{ python }} -m app.cli doctor traces

# Start an offline imitation of all sources
[group('servers')]
[no-cd]
sandbox *ARGS: _installed
    @exec {{ python }} -m sandbox "$@"

# Show the sources: releases, answers, age
[group('annotate')]
[no-cd]
sources *ARGS: _installed
    @{{ python }} -m app.cli sources "$@"

# Import genes: just genes-import FILE, or hgnc
[group('annotate')]
[no-cd]
genes-import *ARGS: _installed
    @{{ python }} -m app.cli genes-import "$@"

# Add your own table: just source-add NAME FILE
[group('annotate')]
[no-cd]
source-add *ARGS: _installed
    @{{ python }} -m app.cli source-add "$@"

# Remove your own table: just source-remove NAME
[group('annotate')]
[no-cd]
source-remove *ARGS: _installed
    @{{ python }} -m app.cli source-remove "$@"

# Find genes by a part of a name: just search TEXT
[group('annotate')]
[no-cd]
search *ARGS: _installed
    @{{ python }} -m app.cli search "$@"

# Find the genes that names mean: just resolve NAME...
[group('annotate')]
[no-cd]
resolve *ARGS: _installed
    @{{ python }} -m app.cli resolve "$@"

# Start a run: just annotate [SOURCE...] [--wait]
[group('annotate')]
[no-cd]
annotate *ARGS: _installed
    @{{ python }} -m app.cli annotate "$@"

# List the runs
[group('annotate')]
[no-cd]
runs *ARGS: _installed
    @{{ python }} -m app.cli runs "$@"

# Show a run and its progress: just show ID
[group('annotate')]
[no-cd]
show *ARGS: _installed
    @{{ python }} -m app.cli show "$@"

# Show the log of a run: just log ID
[group('annotate')]
[no-cd]
log *ARGS: _installed
    @{{ python }} -m app.cli log "$@"

# Cancel a run: just cancel ID
[group('annotate')]
[no-cd]
cancel *ARGS: _installed
    @{{ python }} -m app.cli cancel "$@"

# Continue a failed or cancelled run: just retry ID
[group('annotate')]
[no-cd]
retry *ARGS: _installed
    @{{ python }} -m app.cli retry "$@"

# Accept held answers: just accept ID SOURCE
[group('annotate')]
[no-cd]
accept *ARGS: _installed
    @{{ python }} -m app.cli accept "$@"

# Show the workers and the queue
[group('annotate')]
[no-cd]
status *ARGS: _installed
    @{{ python }} -m app.cli status "$@"

# Show what has changed: just changes [--since DAY]
[group('data')]
[no-cd]
changes *ARGS: _installed
    @{{ python }} -m app.cli changes "$@"

# Freeze all annotations: just snapshot NAME
[group('data')]
[no-cd]
snapshot *ARGS: _installed
    @{{ python }} -m app.cli snapshot "$@"

# Roll a source back: just rollback SOURCE --to TIME
[group('data')]
[no-cd]
rollback *ARGS: _installed
    @{{ python }} -m app.cli rollback "$@"

# Add a list of genes: just list-add NAME FILE
[group('data')]
[no-cd]
list-add *ARGS: _installed
    @{{ python }} -m app.cli list-add "$@"

# List the gene lists
[group('data')]
[no-cd]
lists *ARGS: _installed
    @{{ python }} -m app.cli lists "$@"

# Remove a list of genes: just list-remove NAME
[group('data')]
[no-cd]
list-remove *ARGS: _installed
    @{{ python }} -m app.cli list-remove "$@"

# Show a gene: just gene NAME
[group('data')]
[no-cd]
gene *ARGS: _installed
    @{{ python }} -m app.cli gene "$@"

# Export a table: just export --output FILE
[group('data')]
[no-cd]
export *ARGS: _installed
    @{{ python }} -m app.cli export "$@"

# Show the schedules; --suggest: suggest some
[group('schedules')]
[no-cd]
schedules *ARGS: _installed
    @{{ python }} -m app.cli schedules "$@"

# Add a schedule: just schedule-add "0 3 * * 0"
[group('schedules')]
[no-cd]
schedule-add *ARGS: _installed
    @{{ python }} -m app.cli schedule-add "$@"

# Pause a schedule: just schedule-pause NAME
[group('schedules')]
[no-cd]
schedule-pause *ARGS: _installed
    @{{ python }} -m app.cli schedule-pause "$@"

# Resume a schedule: just schedule-resume NAME
[group('schedules')]
[no-cd]
schedule-resume *ARGS: _installed
    @{{ python }} -m app.cli schedule-resume "$@"

# Execute a tick now: just schedule-run NAME
[group('schedules')]
[no-cd]
schedule-run *ARGS: _installed
    @{{ python }} -m app.cli schedule-run "$@"

# Remove a schedule: just schedule-remove NAME
[group('schedules')]
[no-cd]
schedule-remove *ARGS: _installed
    @{{ python }} -m app.cli schedule-remove "$@"

# List the notifications: just notifications [ID]
[group('notifications')]
[no-cd]
notifications *ARGS: _installed
    @{{ python }} -m app.cli notifications "$@"

# Send a test message through every channel
[group('notifications')]
[no-cd]
notify-test *ARGS: _installed
    @{{ python }} -m app.cli notify-test "$@"

# Check style, imports, types and the documentation
[group('develop')]
lint: (_installed "lint")
    @python -m nox -s lint types docs

# Serve the documentation at http://127.0.0.1:8001
[group('develop')]
docs *ARGS: (_installed "docs")
    @NO_MKDOCS_2_WARNING=1 exec python -m mkdocs serve "$@"

# Execute the docs' commands; open all pages
[group('develop')]
check-pages *ARGS: (_installed "test")
    @python -m nox -s pages -- "$@"

[private]
alias check-docs := check-pages

# Kill and freeze workers; at random: --minutes N
[group('develop')]
reliability *ARGS: (_installed "test")
    @python -m nox -s reliability -- "$@"

# Run a benchmark: just bench NAME
[group('develop')]
bench *ARGS: (_installed "test")
    @python -m nox -s bench -- "$@"

# Generate parts of docs/; --check: compare only
[group('develop')]
[no-cd]
reference *ARGS: (_installed "docs")
    @{{ python }} -m reference "$@"

# Write the lock; newer versions: just lock --upgrade
[group('develop')]
lock *ARGS: (_installed "docs")
    @python -m nox -s lock -- "$@"

# Remove .venv and the caches; keep the data in .run
[group('develop')]
clean:
    rm -rf .venv .nox backend/.venv .*_cache backend/.*_cache backend/.hypothesis
    find backend -name __pycache__ -type d -prune -exec rm -rf {} +
