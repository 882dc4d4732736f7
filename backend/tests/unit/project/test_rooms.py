"""A room's `__all__` lists its public modules; other rooms use only these."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import app
import app.core

BACKEND = Path(app.__file__).parents[1]
PROGRAMS = ("app", "bench", "demo", "harness", "reference", "sandbox", "services")
ROOMS = sorted(
    f"app.{part}.{file.parent.name}"
    for part in ("core", "annotation")
    for file in (BACKEND / "app" / part).glob("*/__init__.py")
)
MEASURED = {"bench/clinvar_api_plan.py", "bench/clinvar_bulk.py"}
"""Benchmarks of the inside of one source."""


def imported(file: Path) -> Iterator[str]:
    """What a file imports: modules, and names in modules."""
    text = file.read_text(encoding="utf-8")
    if "app." not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_contains_what_it_exports(room: str) -> None:
    module = import_module(room)
    assert module.__doc__
    for name in module.__all__:
        assert hasattr(module, name) or import_module(f"{room}.{name}")


def test_no_room_uses_a_private_module_of_another_room() -> None:
    # one test, so that one process reads the code
    files = (file for name in PROGRAMS for file in (BACKEND / name).rglob("*.py"))
    imports = {file: list(imported(file)) for file in files}
    for room in ROOMS:
        own = BACKEND / Path(*room.split("."))
        offered = import_module(room).__all__
        reached = {
            f"{file.relative_to(BACKEND)}: {name}"
            for file, names in imports.items()
            if own not in file.parents and str(file.relative_to(BACKEND)) not in MEASURED
            for name in names
            if name.startswith(f"{room}.") and name.split(".")[3] not in offered
        }
        assert reached == set()


@pytest.mark.parametrize("name", app.core.__all__)
def test_the_engine_exports_the_names_that_it_lists(name: str) -> None:
    assert getattr(app.core, name) is not None


def test_the_engine_has_no_other_names() -> None:
    assert not hasattr(app.core, "Bell")
