"""The checks, one session each. They use the .venv that `make` installed and install nothing."""

import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests", "lint", "types", "docs"]

BIN = Path(sys.executable).parent
# the sessions find the code in the folder that they change to
IMPORTABLE: dict[str, str | None] = {"PYTHONSAFEPATH": None}
AS_EACH_IS_DONE = ["--dist", "load", "--maxschedchunk", "1"]
OF_EVERY_RUN = "not pages and (not reliability or essential)"
FOLDERS = {"unit": "tests/unit", "integration": "tests/integration"}
COMPILE = [
    *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url"),
    *("--python-version", "3.11", "--custom-compile-command", "make lock"),
]


def run(session: nox.Session, program: str, *arguments: str) -> None:
    """Run one of the locked programs, whether or not the .venv is active."""
    if not (BIN / program).exists():
        target = {"tests": "test", "types": "lint", "pages": "check-pages"}.get(
            session.name, session.name
        )
        session.error(f"{program} is not installed: run `make {target}`, which installs it")
    session.run(str(BIN / program), *arguments, external=True, env=IMPORTABLE)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, or some: `unit`, `integration`.

    `unit` needs no server. Everything else is an argument of pytest. The longer reliability
    scenarios, the tests in a browser and those of the documentation have sessions of their own.
    """
    session.chdir("backend")
    chosen = [FOLDERS.get(word, word) for word in session.posargs]
    if set(session.posargs) <= set(FOLDERS):
        # much of it is waiting: more processes than the smallest machine has cores
        most = ["-n", "8", *AS_EACH_IS_DONE, "-m", OF_EVERY_RUN]
        chosen = [*most, *(chosen or ["tests"])]
    run(session, "pytest", "-rs", *chosen)


@nox.session
def pages(session: nox.Session) -> None:
    """Use the documentation and all pages as a reader does.

    Executes the commands of the tutorial and the guides in a fresh clone, and opens the pages of
    the site and those that the API serves in a browser. Arguments select tests.
    """
    session.chdir("backend")
    # the tests of a file share what it builds
    chosen = session.posargs or ["-n", "2", "--dist", "loadfile"]
    run(session, "pytest", "-rs", "-m", "pages", *chosen)


@nox.session
def reliability(session: nox.Session) -> None:
    """Kill, freeze and starve real workers and servers. At random: --minutes N [--seed S].

    Without --minutes, arguments select tests.
    """
    session.chdir("backend")
    if any(word.startswith("--minutes") for word in session.posargs):
        # after a Ctrl-C it needs some time to stop the processes that it started
        program = [str(BIN / "python"), "-m", "tests.reliability.soak", *session.posargs]
        session.run(*program, external=True, interrupt_timeout=60, env=IMPORTABLE)
        return
    # the seconds that these tests assert hold as they are: see backend/harness/timing.py
    session.env["TEST_SLOWDOWN"] = "1"
    # most of it is waiting: more processes than cores
    chosen = session.posargs or ["-n", "5", *AS_EACH_IS_DONE]
    run(session, "pytest", "-rs", "-m", "reliability", *chosen)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and the rules for imports."""
    session.chdir("backend")
    run(session, "ruff", "check", "--config", "pyproject.toml", ".", "../noxfile.py")
    run(session, "ruff", "format", "--config", "pyproject.toml", "--check", ".", "../noxfile.py")
    run(session, "lint-imports")
    session.chdir("..")
    run(session, "just", "--fmt", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy in strict mode."""
    session.chdir("backend")
    run(session, "mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Check that generated files are up to date and that the site builds without a warning."""
    session.chdir("backend")
    run(session, "python", "-m", "reference", "--check")
    session.chdir("..")
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # hides a notice of mkdocs-material about its future
    # without --quiet, which would drop the warnings before --strict counts them
    run(session, "mkdocs", "build", "--strict")


@nox.session
def bench(session: nox.Session) -> None:
    """Run a benchmark; `just bench --help` lists them."""
    session.chdir("backend")
    run(session, "python", "-m", "bench", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements/*.txt; `--upgrade` allows newer versions of locked packages."""
    pyproject = "backend/pyproject.toml"
    agree: list[str] = []  # a package has one version in all locks
    for name in ("base", "local", "docs", "lint", "test", "apprise", "otel", "uv"):
        file = f"requirements/{name}.txt"
        wanted = {"base": [pyproject], "uv": ["requirements/uv.in"]}.get(name)
        wanted = wanted or ["--extra", name, pyproject]
        run(session, *COMPILE, *session.posargs, *agree, "-o", file, *wanted)
        agree += ["-c", file]
