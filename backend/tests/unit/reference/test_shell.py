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
def test_every_command_is_shown_with_its_help(name: str) -> None:
    printed = CliRunner().invoke(main, [name, "--help"], terminal_width=80).output
    options = printed.partition("Options:\n")[2]
    assert "Show this message" in options
    assert options.strip() in section(name)


def test_a_command_is_shown_with_its_recipe() -> None:
    assert "Usage: just annotate [OPTIONS] [SOURCE]...\n" in section("annotate")
    assert "--mode [smart|full]" in section("annotate")


def test_a_recipe_without_arguments_shows_the_command_itself() -> None:
    said = section("migrate")
    assert "Recipe: `just migrate`." in said
    assert "Usage: python -m app.cli migrate [OPTIONS]\n" in said


def test_the_page_explains_the_exit_statuses() -> None:
    assert "The exit status is 1 if the command failed" in shell.text()


def test_the_terminal_does_not_change_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = shell.text()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shell.text() == before
