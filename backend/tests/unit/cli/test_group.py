import subprocess
import sys

import click
import pytest

from app.cli.group import COMMANDS, main

HEAVY = {"alembic", "arq", "fastapi", "httpx", "pydantic", "psycopg", "redis", "rich", "sqlalchemy"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_is_there_under_its_name(name):
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


def test_help_imports_none_of_the_packages_that_commands_need():
    program = (
        "import sys\n"
        "from app.cli.group import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    imported = {name.partition(".")[0] for name in run.stderr.split()}
    assert "app" in imported
    assert not imported & HEAVY
