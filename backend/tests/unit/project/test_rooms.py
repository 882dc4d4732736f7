"""A room's `__all__` names the modules that others may use; nobody reaches for another one."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import app
import app.core

BACKEND = Path(app.__file__).parents[1]
PROGRAMS = ("app", "bench", "demo", "harness", "reference", "sandbox", "services")
ROOMS = sorted(file.parent.name for file in (BACKEND / "app" / "core").glob("*/__init__.py"))


def imported(file: Path) -> Iterator[str]:
    """What a file imports of the engine: modules, and names in modules."""
    text = file.read_text(encoding="utf-8")
    if "app.core." not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.fixture(scope="module")
def imports() -> dict[Path, list[str]]:
    files = (file for name in PROGRAMS for file in (BACKEND / name).rglob("*.py"))
    return {file: list(imported(file)) for file in files}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_the_modules_that_it_offers(room: str) -> None:
    for name in import_module(f"app.core.{room}").__all__:
        import_module(f"app.core.{room}.{name}")


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_uses_a_module_that_another_room_keeps_to_itself(
    room: str, imports: dict[Path, list[str]]
) -> None:
    own = BACKEND / "app" / "core" / room
    offered = import_module(f"app.core.{room}").__all__
    reached = {
        f"{file.relative_to(BACKEND)}: {name}"
        for file, names in imports.items()
        if own not in file.parents
        for name in names
        if name.startswith(f"app.core.{room}.") and name.split(".")[3] not in offered
    }
    assert reached == set()


@pytest.mark.parametrize("name", app.core.__all__)
def test_the_engine_offers_what_it_names(name: str) -> None:
    assert getattr(app.core, name) is not None


def test_the_engine_has_no_other_names() -> None:
    assert not hasattr(app.core, "Bell")
