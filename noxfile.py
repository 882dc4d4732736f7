"""The checks, one session each. They use the .venv that `make` installed and install nothing."""

import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests", "lint", "types", "docs"]

BIN = Path(sys.executable).parent
# PYTHONSAFEPATH would keep Python from importing the code of the current folder
IMPORTABLE: dict[str, str | None] = {"PYTHONSAFEPATH": None}
ONE_TEST_AT_A_TIME = ["--dist", "load", "--maxschedchunk", "1"]
FOUR_PROCESSES = ["-n", "4", "--dist", "worksteal"]
EIGHT_PROCESSES = ["-n", "8", *ONE_TEST_AT_A_TIME]
DEFAULT_TESTS = "not pages and (not reliability or essential)"
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

    `unit` needs no server. All other arguments are passed to pytest. The longer reliability tests,
    the tests in a browser and those of the documentation have their own sessions.
    """
    session.chdir("backend")
    chosen = [FOLDERS.get(word, word) for word in session.posargs]
    if set(session.posargs) <= set(FOLDERS):
        # most unit tests compute; many others wait, so more processes than processors are faster
        processes = FOUR_PROCESSES if session.posargs == ["unit"] else EIGHT_PROCESSES
        chosen = [*processes, "-m", DEFAULT_TESTS, *(chosen or ["tests"])]
    run(session, "pytest", "-rs", *chosen)


@nox.session
def pages(session: nox.Session) -> None:
    """Execute the commands of the documentation and open all pages in a browser.

    The commands are those of the tutorial and the guides, in a fresh clone. The pages are those of
    the site and those that the API serves. Arguments select tests.
    """
    session.chdir("backend")
    # the tests of a file share what it builds
    chosen = session.posargs or ["-n", "2", "--dist", "loadfile"]
    run(session, "pytest", "-rs", "-m", "pages", *chosen)


@nox.session
def reliability(session: nox.Session) -> None:
    """Kill, freeze and starve real workers and servers.

    `--minutes N [--seed S]` does so at random. Other arguments select tests.
    """
    session.chdir("backend")
    if any(word.startswith("--minutes") for word in session.posargs):
        # after a Ctrl-C it needs some time to stop the processes that it started
        program = [str(BIN / "python"), "-m", "tests.reliability.soak", *session.posargs]
        session.run(*program, external=True, interrupt_timeout=60, env=IMPORTABLE)
        return
    # do not scale the seconds that these tests assert: see backend/harness/timing.py
    session.env["TEST_SLOWDOWN"] = "1"
    # most tests wait, so it is faster to have more processes than processors
    chosen = session.posargs or ["-n", "5", *ONE_TEST_AT_A_TIME]
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
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # hides an announcement of mkdocs-material
    # not --quiet: it drops the warnings before --strict counts them
    run(session, "mkdocs", "build", "--strict")


@nox.session
def bench(session: nox.Session) -> None:
    """Run a benchmark; `just bench --help` lists them."""
    session.chdir("backend")
    run(session, "python", "-m", "bench", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write requirements/*.txt; `--upgrade` also updates locked packages."""
    pyproject = "backend/pyproject.toml"
    agree: list[str] = []  # a package has one version in all locks
    for name in ("base", "local", "docs", "lint", "test", "apprise", "otel", "uv"):
        file = f"requirements/{name}.txt"
        wanted = {"base": [pyproject], "uv": ["requirements/uv.in"]}.get(name)
        wanted = wanted or ["--extra", name, pyproject]
        run(session, *COMPILE, *session.posargs, *agree, "-o", file, *wanted)
        agree += ["-c", file]
