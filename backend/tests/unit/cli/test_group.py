import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from app.cli.group import COMMANDS, main

PROGRAM = """
import json, runpy, sys
sys.argv = ["app.cli", *sys.argv[2:]]
try:
    runpy.run_module("app.cli", run_name="__main__")
finally:
    with open({file!r}, "w") as file:
        json.dump({{name: getattr(m, "__file__", None) for name, m in sys.modules.items()}}, file)
"""

SLOW = ("alembic", "app.annotation.sources", "app.api", "arq", "fastapi", "httpx", "structlog")
"""What only some commands need, and takes long to import."""

MAX_OUR_MODULES = 12
"""Modules of ours that `--help` may import."""

QUICK = ("runs", "status")

UNUSED = ("alembic", "app.api", "arq", "fastapi", "httpx", "redis", "structlog")
"""What a command that reads annotations does not need, and takes long to import."""

READING = ("gene PKD1", "lists", "schedules", "sources")


def imported_by(command: str, folder: Path) -> dict[str, str | None]:
    """Run a command in a process of its own, without a database, and return what it imported."""
    found = folder / "modules.json"
    subprocess.run(
        [sys.executable, "-c", PROGRAM.format(file=str(found)), "app.cli", *command.split()],
        env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "PYTHONPATH": "."},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
    )
    modules: dict[str, str | None] = json.loads(found.read_text())
    return modules


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_exists_under_its_name(name):
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name


def test_the_list_of_commands_shows_every_summary_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    listed = main.get_help(click.Context(main))

    for name, command in COMMANDS.items():
        assert any(
            line.split(maxsplit=1) == [name, command.summary] for line in listed.splitlines()
        )


def test_help_imports_little_more_than_click(tmp_path):
    modules = imported_by("--help", tmp_path)

    ours = [name for name in modules if name.startswith("app.")]
    packages = {
        name.partition(".")[0] for name, file in modules.items() if "site-packages" in str(file)
    }
    assert "app.cli.group" in ours
    assert len(ours) <= MAX_OUR_MODULES
    assert packages <= {"_distutils_hack", "click", "dotenv", "typing_extensions"}


@pytest.mark.parametrize("command", QUICK)
def test_a_database_command_imports_only_what_it_needs(command, tmp_path):
    modules = imported_by(command, tmp_path)

    assert "sqlalchemy" in modules
    assert modules.keys().isdisjoint(SLOW)


@pytest.mark.parametrize("command", READING)
def test_a_command_that_reads_annotations_imports_no_client_of_a_network(command, tmp_path):
    modules = imported_by(command, tmp_path)

    assert "sqlalchemy" in modules
    assert modules.keys().isdisjoint(UNUSED)


@pytest.mark.parametrize(
    ("environment", "usage"),
    [({"CALLED_AS": "just"}, "Usage: just show "), ({}, "Usage: python -m app.cli show ")],
)
def test_a_usage_line_names_the_program_that_was_called(
    environment: dict[str, str], usage: str
) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "app.cli", "show", "--help"],
        env={"PYTHONPATH": ".", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith(usage)


def test_the_recipes_say_that_they_were_called() -> None:
    just = Path(sys.executable).with_name("just")
    said = subprocess.run(
        [just, "--justfile", "../justfile", "--evaluate", "python"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "CALLED_AS=just" in said.stdout
