"""Commands, settings, addresses, files and checks that the documentation names exist."""

import re
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from fastapi.routing import iter_route_contexts

from app.annotation.settings import Settings
from app.cli.group import main
from app.db.tables import metadata
from app.doctor.registry import CHECKS
from app.web.app import create_pages
from reference import http, metrics, recipes
from tests.conftest import REPOSITORY
from tests.integration.docs.fences import fences

PAGES = sorted(
    page.relative_to(REPOSITORY)
    for page in (
        REPOSITORY / "README.md",
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "deploy").rglob("*.md"),
    )
    if "vendor" not in page.parts
)
ALIASES = re.findall(r"^alias ([\w-]+)", (REPOSITORY / "justfile").read_text(), re.MULTILINE)
RECIPES = {recipe.name for recipe in recipes.recipes()} | set(ALIASES)
GROUPS = {check.group for check in CHECKS}
OF_THE_EXAMPLE = {"MANE_FILES_URL", "upstream.mane-files"}
"""Names that docs/how-to/add-a-source.md declares."""

OF_OTHERS = {
    "FORWARDED_ALLOW_IPS",
    "HTTPS_PROXY",
    "NO_PROXY",
    "REDISCLI_AUTH",
    "SSL_CERT_FILE",
}
"""Variables of the environment that other programs read."""

ENDINGS = r"py|md|yml|yaml|toml|txt|sh|conf|acl|service|env|tsv|json|example"


READ = {"sh", "ini", "yaml", "text", "http"}
"""Languages of blocks whose names are checked. Blocks of Python are executed instead."""


@cache
def code(page: Path) -> tuple[str, ...]:
    """Return the code of a page: the text in backticks, and the lines of its blocks."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    blocks = list(fences(text, str(page)))
    prose = re.sub(r"^ *(`{3,}).*?^ *\1`*$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for each in blocks if each.language in READ for line in each.text.splitlines()]
    return (*(found[2] for found in re.finditer(r"(?<!`)(`{1,2})([^`\n]+)\1(?!`)", prose)), *lines)


def named(pattern: str, page: Path) -> set[str]:
    return {match[1] for piece in code(page) for match in re.finditer(pattern, piece)}


@cache
def paths_of_pages() -> list[str]:
    routes = create_pages(Settings()).routes
    return [each.path for each in iter_route_contexts(routes) if each.path is not None]


@cache
def tracked() -> frozenset[str]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, or there is no git")
    files = [name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists()]
    return frozenset(files) | {str(up) for name in files for up in Path(name).parents}


@cache
def sources() -> str:
    """Return the text of all files that may define names other than settings."""
    packages = ("app", "bench", "demo", "sandbox", "services")
    places = [each for name in packages for each in (REPOSITORY / "backend" / name).rglob("*.py")]
    places.append(REPOSITORY / "noxfile.py")
    places += [REPOSITORY / "compose.yaml", *(REPOSITORY / "deploy").rglob("*.*")]
    kept = (each for each in places if each.suffix in {".py", ".yaml", ".service", ".acl", ".sh"})
    return "\n".join(each.read_text(encoding="utf-8") for each in kept if each.is_file())


@pytest.fixture(params=PAGES, ids=str)
def page(request) -> Path:
    return request.param


def test_every_recipe_that_is_named_exists(page) -> None:
    unknown = named(r"\b(?:make|just) ([a-z][a-z-]*)", page) - RECIPES
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
    words -= OF_THE_EXAMPLE
    assert not {word for word in words if not re.search(rf"\b{word}\b", sources())}


def test_every_setting_that_is_given_a_value_is_a_setting(page) -> None:
    settings = {name.upper() for name in Settings.model_fields}
    compose = set(re.findall(r"\$\{(\w+)", (REPOSITORY / "compose.yaml").read_text()))
    given = named(r"^\s*#?\s*([A-Z][A-Z0-9_]+)=", page) - settings - compose
    assert given <= {"ARGS", "LIVE"} | OF_OTHERS


def test_every_address_of_the_api_and_of_a_page_that_is_named_exists(page) -> None:
    paths = [*http.openapi()["paths"], "/openapi.json", *paths_of_pages()]
    patterns = [re.sub(r"\{\w+\}", "[^/]+", path) for path in paths]
    asked = named(
        r"(?<![\w./])(?:https?://[\w.]+:8000)?(/(?:api|health|metrics|genes)/?[^\s`'\"]*)", page
    )
    unknown = {
        each
        for each in asked
        for path in [each.partition("?")[0].rstrip("/.,)")]
        if path not in {"/api", "/api/admin"}
        and not any(re.fullmatch(pattern, path) for pattern in patterns)
    }
    assert not unknown


def test_every_file_that_is_named_exists(page) -> None:
    top = {name.split("/")[0] for name in tracked()} - {"."}
    words = named(rf"(?<![\w/.@$:*-])((?:[\w.@-]+/)*[\w.@-]+(?:\.(?:{ENDINGS})\b|/))", page)
    words |= named(r"(?<![\w/.@$:*-])((?:backend|deploy|docs|requirements)/[\w./-]*\w)", page)
    missing = {
        word
        for word in words
        if word.split("/")[0] in top
        and ".venv" not in word.split("/")
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
    assert words - ids - columns - files - OF_THE_EXAMPLE == set()


def test_every_check_that_is_chosen_exists(page) -> None:
    chosen = {word for each in named(r"--only ([\w.,-]*\w)", page) for word in each.split(",")}
    assert chosen <= {check.id for check in CHECKS} | GROUPS | {"ID", "X"}


def test_every_metric_that_is_named_exists(page) -> None:
    shown = set(re.findall(r"`(kidney_genetics_\w+)`", metrics.text()))
    # Prometheus queries the buckets of a histogram
    histograms = re.findall(r"`(kidney_genetics_\w+)` \| histogram", metrics.text())
    shown |= {f"{name}_bucket" for name in histograms}
    # the name of the queue, and of the database
    others = {Settings.model_fields["arq_queue_name"].default, "kidney_genetics_db"}
    assert named(r"(?<![\w/:])(kidney_genetics_\w+)", page) - shown - others == set()


def test_every_method_of_an_address_is_one_that_it_takes(page) -> None:
    taken = {
        (method.upper(), re.sub(r"\{\w+\}", "[^/]+", path))
        for path, methods in http.openapi()["paths"].items()
        for method in methods
    }
    said = named(r"((?:GET|POST|PUT|PATCH|DELETE) /(?:api|health|metrics)[^\s`'\"]*)", page)
    asked = [each.split(" ", 1) for each in said]
    assert [
        (method, path)
        for method, path in asked
        if not any(method == known and re.fullmatch(form, path) for known, form in taken)
    ] == []


def test_every_option_of_a_command_that_is_named_exists(page) -> None:
    calls = named(r"\b(?:just |make |-m app\.cli )([a-z][a-z-]* [^|&;#`]*--[a-z][^|&;#`]*)", page)
    unknown = []
    for words in map(str.split, calls):
        command = main.get_command(click.Context(main), words[0])
        if command is not None:
            known = {option for each in command.params for option in each.opts} | {"--help"}
            given = {word.strip("\"'").partition("=")[2] or word for word in words[1:]}
            unknown += [
                f"{words[0]} {option}"
                for option in {each.strip("\"'") for each in given}
                if option.startswith("--") and option.partition("=")[0] not in known
            ]
    assert unknown == []


def test_every_module_that_is_run_exists(page) -> None:
    run = named(r"\bpython3? -m ((?:app|sandbox|services|demo|bench)[\w.]*)", page)
    assert [name for name in run if find_spec(name) is None] == []
