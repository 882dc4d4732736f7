import re

import click
import pytest
from click.testing import CliRunner

from app.cli.group import main
from reference import shell

COMMANDS = main.list_commands(click.Context(main))


def section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", shell.text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_with_what_its_help_prints(name: str) -> None:
    printed = CliRunner().invoke(main, [name, "--help"], terminal_width=80).output
    options = printed.partition("Options:\n")[2]
    assert "Show this message" in options
    assert options.strip() in section(name)


def test_a_command_is_called_by_its_recipe() -> None:
    assert "Usage: just annotate [OPTIONS] [SOURCE]...\n" in section("annotate")
    assert "--mode [smart|full]" in section("annotate")


def test_a_recipe_that_takes_no_options_offers_none() -> None:
    said = section("migrate")
    assert "Recipe: `just migrate`." in said
    assert "Usage: python -m app.cli migrate [OPTIONS]\n" in said


def test_exit_statuses_are_said() -> None:
    assert "The exit status is 1 when something failed" in shell.text()


def test_the_terminal_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shell.text()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shell.text() == before
