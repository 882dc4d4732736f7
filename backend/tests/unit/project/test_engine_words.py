"""The engine names steps, not commands; the composition roots add the commands."""

import re

from reference import recipes
from tests.conftest import REPOSITORY

ENGINE = REPOSITORY / "backend" / "app" / "core"


def test_the_engine_names_no_recipe() -> None:
    names = "|".join(sorted(recipe.name for recipe in recipes.recipes()))
    named = re.compile(rf"\b(?:just|make) (?:{names})\b")
    found = [
        f"{file.relative_to(ENGINE)}:{number}: {line.strip()}"
        for file in sorted(ENGINE.rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert found == []
