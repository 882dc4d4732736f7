import asyncio
import re
import shlex
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from app.doctor.check import Check, Finding, check, failed, ok, warning
from app.doctor.checks.readable import readable
from app.doctor.context import Context

_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)


def _installed() -> dict[str, str]:
    """Return the version of every package; of two copies, the one that is imported."""
    found: dict[str, str] = {}
    for each in metadata.distributions():
        found.setdefault(_normal(each.name), each.version)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(context: Context, name: str) -> Iterator[tuple[str, str]]:
    """Return the packages, with their versions, that a lock has for this Python and platform."""
    from packaging.markers import Marker

    file = context.root / "requirements" / f"{name}.txt"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    for package, version, marker in _PIN.findall(text):
        if not marker or Marker(marker.strip()).evaluate():
            yield _normal(package), version


def _install(context: Context) -> str:
    if Path(sys.prefix).resolve() == (context.root / ".venv").resolve():
        return "rm -rf .venv && make"
    pip = f"{shlex.quote(sys.executable)} -m pip install"
    return f"{pip} --require-hashes --only-binary :all: -r requirements/base.txt"


@check(
    "install.python",
    "Python is as new as the code needs",
    symptom="A command stops with `SyntaxError` or `ImportError` in code that is right elsewhere.",
    why="An older Python stops at the first line that it does not know, perhaps hours into a run.",
    remedy="rm -rf .venv && make",
)
async def python(context: Context) -> Finding:
    """Compare the running Python with ``requires-python``."""
    import tomllib

    file = context.backend / "pyproject.toml"
    found = ".".join(map(str, sys.version_info[:3]))
    if not file.is_file():
        return ok(f"Python {found}")
    required = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["requires-python"]
    least = tuple(int(part) for part in required.removeprefix(">=").split("."))
    if sys.version_info[: len(least)] < least:
        return failed(f"Python {found} is too old", required=f"Python {required}", found=found)
    return ok(f"Python {found}, of which {required} is needed")


@check(
    "install.packages",
    "the installed packages are those of the lock",
    symptom="A command stops with `ModuleNotFoundError`, or with an error inside a library.",
    why="Only these versions were tested together; another one may fail in the middle of a run.",
    remedy="rm -rf .venv && make",
)
async def packages(context: Context) -> Finding:
    """Compare the installed packages with the locks; those of base.txt alone must be there."""
    return await asyncio.to_thread(_compare, context)


def _compare(context: Context) -> Finding:
    installed = _installed()
    base = dict(_locked(context, "base"))
    if not base:
        return ok("there is no lock here to compare with")
    wrong = {name: version for name, version in base.items() if installed.get(name) != version}
    used = {
        name: version
        for lock in (context.root / "requirements").glob("*.txt")
        for name, version in _locked(context, lock.stem)
        if name not in base and installed.get(name, version) != version
    }
    if wrong or used:
        different = wrong | used
        finding = failed if wrong else warning
        return finding(
            f"{len(different)} of the installed packages are not as locked",
            required=", ".join(f"{name} {version}" for name, version in different.items()),
            found=", ".join(f"{name} {installed.get(name, 'missing')}" for name in different),
            remedy=_install(context),
        )
    return ok(f"{len(base)} packages are as locked")


@check(
    "install.redis-py",
    "redis-py is one that arq 0.28 works with",
    symptom="`pip list` shows arq 0.25, or redis 6 or later.",
    why="arq 0.28 needs redis-py below 6; asked for a newer one, installers go back to arq 0.25"
    " without a word, which keeps pickles in Redis.",
    remedy="rm -rf .venv && make",
)
async def redis_py(context: Context) -> Finding:
    """Look at the versions of arq and redis-py."""
    installed = await asyncio.to_thread(_installed)
    arq, redis = installed.get("arq", "missing"), installed.get("redis", "missing")
    found = f"arq {arq}, redis {redis}"
    if not (arq.startswith("0.28.") and redis.startswith("5.")):
        return failed(
            f"{found} do not work together",
            required="arq 0.28, redis 5",
            found=found,
            remedy=_install(context),
        )
    return ok(found)


@check(
    "install.app",
    "`app` is the code of this checkout",
    symptom="The worker runs other code than that of this checkout.",
    why="The arq command looks in the installed packages first: another `app` there is what the"
    " worker would run.",
    remedy="unset PYTHONPATH",
)
async def app(context: Context) -> Finding:
    """Look for packages of the same name, and for code from elsewhere."""
    return await asyncio.to_thread(_look_for_another, context)


def _look_for_another(context: Context) -> Finding:
    ours = (context.backend / "app").resolve()
    running = Path(__file__).resolve().parents[2]
    if running != ours:
        return failed(
            "the running code is of another checkout",
            required=str(ours),
            found=str(running),
            remedy=f"unset PYTHONPATH PYTHONSAFEPATH && cd {context.backend}",
        )
    for entry in sys.path:
        other = Path(entry or ".").resolve() / "app"
        is_package = other.with_suffix(".py").is_file() or (other / "__init__.py").is_file()
        if is_package and other != ours:
            return failed(
                "there is another package `app`",
                required=f"`app` only in {context.backend}",
                found=str(other),
                remedy=_remove(context, entry),
            )
    return ok(f"`app` is {ours}")


def _remove(context: Context, entry: str) -> str:
    if entry in context.environ.get("PYTHONPATH", "").split(":"):
        return "unset PYTHONPATH"
    if owners := sorted(filter(None, map(_owner, metadata.distributions()))):
        return f"{shlex.quote(sys.executable)} -m pip uninstall -y {' '.join(owners)}"
    return f"mv {entry}/app {entry}/app.aside"


def _owner(package: metadata.Distribution) -> str | None:
    """Return the name of a package that installed `app`.

    ``packages_distributions`` would also look at every file of every package.
    """
    files = (package.read_text("RECORD") or "").splitlines()
    return package.name if any(file.startswith(("app/", "app.py,")) for file in files) else None


CHECKS: tuple[Check, ...] = (python, packages, redis_py, app, readable)
