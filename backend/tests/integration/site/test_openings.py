"""Each page says at its top whom it is for."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if "theme" not in path.parts]
NO_PROSE = re.compile(r"<!--.*?-->|^(`{3,}).*?^\1`*$|^<a id=.*?</a>$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_begins_with_its_title_and_whom_it_is_for(path: Path) -> None:
    lines = [line for line in NO_PROSE.sub("", path.read_text()).splitlines() if line.strip()]

    assert [line for line in lines if line.startswith("# ")] == lines[:1]
    assert lines[1].startswith("For ")
