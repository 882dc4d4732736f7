import re
import sys
from pathlib import Path

import pytest

from app.core.errors import UserError
from reference import recipes
from tests.conftest import REPOSITORY

JUSTFILE = (REPOSITORY / "justfile").read_text()


def test_every_public_recipe_is_shown_as_in_the_justfile() -> None:
    defined = re.findall(r"^([a-z][\w-]*)(?: \*ARGS)?:(?!=)", JUSTFILE, flags=re.MULTILINE)
    shown = re.findall(r"^\| `just ([\w-]+)", recipes.text(), flags=re.MULTILINE)
    assert shown == [name for name in defined if name != "default"]


def test_recipes_are_grouped_as_in_the_justfile() -> None:
    groups = dict.fromkeys(re.findall(r"^\[group\('(.+)'\)\]", JUSTFILE, flags=re.MULTILINE))
    headings = re.findall(r"^## (.+)", recipes.text(), flags=re.MULTILINE)
    assert [each.lower() for each in headings[:-1]] == list(groups)


def test_private_recipes_are_omitted() -> None:
    assert "_installed" in JUSTFILE
    assert {each.name for each in recipes.recipes()}.isdisjoint({"_installed", "default"})


def test_a_recipe_is_shown_with_its_purpose_and_a_link_to_its_options() -> None:
    row = next(line for line in recipes.text().splitlines() if line.startswith("| `just show"))
    assert row.startswith("| `just show [ARGS...]` | Show a run and its progress")
    assert row.endswith("| [`show`](shell.md#show) |")


def test_every_session_of_nox_is_shown() -> None:
    sessions = re.findall(r"@nox\.session.*\ndef (\w+)", (REPOSITORY / "noxfile.py").read_text())
    assert "reliability" in sessions
    for name in sessions:
        assert re.search(rf"^\| `nox -s {name}` \| \w.+ \|$", recipes.text(), flags=re.MULTILINE)


def test_the_environment_does_not_change_the_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes.text()
    monkeypatch.setenv("JUST_UNSTABLE", "1")
    monkeypatch.setenv("JUST_JUSTFILE", "/dev/null")
    recipes.recipes.cache_clear()
    assert recipes.text() == before


def test_without_just_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    recipes.recipes.cache_clear()
    with pytest.raises(UserError, match=r"just, which reads the justfile, does not exist") as error:
        recipes.text()
    assert error.value.remedy.startswith("make")
