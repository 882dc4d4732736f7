"""What the documentation names exists: commands, settings, addresses, files and checks."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from app.core.config import Settings
from app.db.tables import metadata
from app.doctor.registry import CHECKS
from app.main import create_app
from tests.conftest import REPOSITORY

BIN = Path(sys.executable).parent
PAGES = sorted(
    page.relative_to(REPOSITORY)
    for page in (
        REPOSITORY / "README.md",
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "deploy").rglob("*.md"),
    )
    if "vendor" not in page.parts
)
GROUPS = {check.group for check in CHECKS}
OF_OTHERS = {"SSL_CERT_FILE"}
"""Variables of the environment that other programs read."""

ENDINGS = r"py|md|yml|yaml|toml|txt|sh|conf|acl|service|env|tsv|json|example"


@cache
def code(page: Path) -> tuple[str, ...]:
    """The code of a page: what stands in backticks, and the lines of its fences."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    fences = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for kind, body in fences if kind in {"sh", "ini"} for line in body.splitlines()]
    return (*re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose), *lines)


def named(pattern: str, page: Path) -> set[str]:
    return {match[1] for piece in code(page) for match in re.finditer(pattern, piece)}


@cache
def tracked() -> frozenset[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    files = [name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists()]
    return frozenset(files) | {str(up) for name in files for up in Path(name).parents}


@cache
def recipes() -> frozenset[str]:
    dump = subprocess.run(
        [BIN / "just", "--dump", "--dump-format", "json"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    return frozenset(json.loads(dump.stdout)["recipes"])


@cache
def sources() -> str:
    """Everything in which a name may be defined that is no setting."""
    places = [*(REPOSITORY / "backend").rglob("*.py"), REPOSITORY / "noxfile.py"]
    places += [REPOSITORY / "compose.yaml", *(REPOSITORY / "deploy").rglob("*.*")]
    kept = (each for each in places if each.suffix in {".py", ".yaml", ".service", ".acl", ".sh"})
    return "\n".join(each.read_text(encoding="utf-8") for each in kept if each.is_file())


@pytest.fixture(params=PAGES, ids=str)
def page(request) -> Path:
    return request.param


def test_every_recipe_that_is_named_exists(page) -> None:
    unknown = named(r"\b(?:make|just) ([a-z][a-z-]*)", page) - recipes()
    assert not unknown


def test_every_session_of_nox_that_is_named_exists(page) -> None:
    defined = re.findall(r"@nox.session\ndef (\w+)", (REPOSITORY / "noxfile.py").read_text())
    sessions = {word for each in named(r"\bnox -s ([\w ]+)", page) for word in each.split()}
    assert sessions <= set(defined)


def test_every_measurement_that_is_named_exists(page) -> None:
    asked = named(r"\b(?:nox -s bench --|just bench) ([a-z]\w*)", page)
    bench = REPOSITORY / "backend" / "bench"
    assert all((bench / f"{name}.py").exists() or (bench / name).is_dir() for name in asked)


def test_every_setting_that_is_named_exists(page) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    words = named(r"(?<![\w{])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b", page) - settings - OF_OTHERS
    assert not {word for word in words if not re.search(rf"\b{word}\b", sources())}


def test_every_setting_that_is_given_a_value_is_a_setting(page) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    compose = set(re.findall(r"\$\{(\w+)", (REPOSITORY / "compose.yaml").read_text()))
    given = named(r"^\s*#?\s*([A-Z][A-Z0-9_]+)=", page) - settings - compose
    assert given <= {"ARGS", "LIVE"} | OF_OTHERS


def test_every_address_of_the_api_that_is_named_exists(page) -> None:
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]
    patterns = [re.sub(r"\{\w+\}", "[^/]+", path) for path in paths] + ["/openapi.json"]
    asked = named(
        r"(?<![\w./])(?:https?://[\w.]+:8000)?(/(?:api|health|metrics|genes)/?[^\s`'\"]*)", page
    )
    unknown = {
        each
        for each in asked
        for path in [each.partition("?")[0].rstrip("/.,)")]
        if path != "/api/admin" and not any(re.fullmatch(pattern, path) for pattern in patterns)
    }
    assert not unknown


def test_every_file_that_is_named_exists(page) -> None:
    top = {name.split("/")[0] for name in tracked()} - {"."}
    words = named(rf"(?<![\w/.@$-])((?:[\w.@-]+/)*[\w.@-]+(?:\.(?:{ENDINGS})\b|/))", page)
    missing = {
        word
        for word in words
        if word.split("/")[0] in top
        and word.rstrip("/") not in tracked()
        and str((page.parent / word).as_posix()).rstrip("/") not in tracked()
    }
    assert not missing


def test_every_check_that_is_named_exists(page) -> None:
    ids = {check.id for check in CHECKS}
    columns = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
    }
    words = named(rf"(?<![\w./@-])((?:{'|'.join(GROUPS)})\.[a-z][a-z-]+)(?![\w(])", page)
    files = {word for word in words if re.search(rf"\.(?:{ENDINGS})$", word)}
    assert words - ids - columns - files == set()


def test_every_check_that_is_chosen_exists(page) -> None:
    chosen = {word for each in named(r"--only ([\w.,-]+)", page) for word in each.split(",")}
    assert chosen <= {check.id for check in CHECKS} | GROUPS | {"ID", "X"}
