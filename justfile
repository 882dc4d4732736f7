# The recipes. `make X` sets everything up and runs `just X`; `just X` needs a `make` before it.

set no-exit-message
set positional-arguments
set shell := ["sh", "-eu", "-c"]

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")

# our code is found wherever the caller stands, and nothing of the caller's is taken for it
python := "env PYTHONPATH=" + quote(justfile_directory() / "backend") + " python -P"

[private]
default:
    @just --justfile "{{ justfile() }}" --list --unsorted

[private]
_installed:
    @[ -e .venv/installed ] || { echo "There is no .venv yet: run make, which makes it." >&2; exit 1; }
    @[ ! requirements/dev.txt -nt .venv/installed ] || echo "The lock has changed: make brings .venv up to date." >&2

# The whole job, offline; LIVE=1: with the real services
[group('start here')]
[no-cd]
demo *ARGS: _installed
    @{{ python }} -m demo "$@"

# All tests, or some: just test tests/unit -k name
[group('start here')]
test *ARGS: _installed
    @python -m nox -s tests -- "$@"

# Say what is wrong, why it matters and what mends it
[group('start here')]
[no-cd]
doctor *ARGS: _installed
    @{{ python }} -m app.cli doctor "$@"

# Start PostgreSQL and Redis, or find them running
[group('servers')]
[no-cd]
hybrid-up: _installed
    @{{ python }} -m services up

# Stop what hybrid-up started; the data stays
[group('servers')]
[no-cd]
hybrid-down: _installed
    @{{ python }} -m services down

# Bring the database's tables up to date
[group('servers')]
[no-cd]
migrate: _installed
    @{{ python }} -m app.cli migrate

# Write the database into a file: just backup [FILE]
[group('servers')]
[no-cd]
backup *ARGS: _installed
    @PATH="$PATH:$({{ python }} -m services programs 2>/dev/null)" {{ python }} -m app.cli backup "$@"

# Fill an empty database from a backup: just restore FILE
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

# Imitate all upstream services on one local port
[group('servers')]
[no-cd]
sandbox *ARGS: _installed
    @exec {{ python }} -m sandbox "$@"

# Import genes: just genes-import FILE, or hgnc for all
[group('annotate')]
[no-cd]
genes-import *ARGS: _installed
    @{{ python }} -m app.cli genes-import "$@"

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

# Show the workers and the queue
[group('annotate')]
[no-cd]
status *ARGS: _installed
    @{{ python }} -m app.cli status "$@"

# Check style, layers and types, and the documentation
[group('develop')]
lint: _installed
    @python -m nox -s lint types docs

# Show this documentation at http://127.0.0.1:8001
[group('develop')]
docs *ARGS: _installed
    @NO_MKDOCS_2_WARNING=1 exec python -m mkdocs serve "$@"

# Kill and freeze real workers; or --minutes N
[group('develop')]
reliability *ARGS: _installed
    @python -m nox -s reliability -- "$@"

# Measure what the closing numbers are about
[group('develop')]
bench *ARGS: _installed
    @python -m nox -s bench -- "$@"

# Write what the code knows into docs/; --check: look
[group('develop')]
[no-cd]
reference *ARGS: _installed
    @{{ python }} -m app.reference "$@"

# Resolve the dependencies anew: just lock --upgrade
[group('develop')]
lock *ARGS: _installed
    @python -m nox -s lock -- "$@"

# Remove .venv and the caches; the data in .run stays
[group('develop')]
clean:
    rm -rf .venv .nox backend/.venv .*_cache backend/.*_cache backend/.hypothesis
    find backend -name __pycache__ -type d -prune -exec rm -rf {} +
