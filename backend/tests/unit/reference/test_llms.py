import re
import sys
from pathlib import Path

import pytest

from app.core.errors import UserError
from reference import llms
from tests.conftest import REPOSITORY

SITE = """\
site_name: a site
site_description: What it is about
markdown_extensions:
  - superfences: {format: !!python/name:os.system }
nav:
  - index.md
  - How to:
      - how-to/a.md
      - Deeper: [how-to/b.md]
  - last.md
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "how-to").mkdir()
    (tmp_path / "index.md").write_text("# Home\n\nOne. The second\nsentence. More.\n\nText.\n")
    (tmp_path / "how-to" / "a.md").write_text("# A\n\n<!-- x -->\nAbout [it](../index.md).\n")
    (tmp_path / "how-to" / "b.md").write_text("# B\n")
    (tmp_path / "last.md").write_text("# Last\n\nAbout `.env` files. Two. Three.\n")
    (tmp_path / "mkdocs.yml").write_text(SITE)
    return tmp_path


def test_the_file_lists_the_pages_by_section_with_their_first_sentences(site: Path) -> None:
    assert llms.text(site / "mkdocs.yml", site) == (
        "# a site\n\n> What it is about\n\n"
        "## Start here\n\n"
        "- [Home](index.html): One. The second sentence.\n"
        "- [Last](last.html): About `.env` files. Two.\n\n"
        "## How to\n\n"
        "- [A](how-to/a.html): About it.\n\n"
        "## Deeper\n\n"
        "- [B](how-to/b.html)\n"
    )


def test_the_file_contains_all_pages_of_this_site() -> None:
    text = llms.text(REPOSITORY / "mkdocs.yml", REPOSITORY / "docs")
    pages = re.findall(r"- (\S+)\.md$", (REPOSITORY / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(pages) > 20
    assert sorted(re.findall(r"\]\((.*?)\.html\)", text)) == sorted(pages)


def test_without_a_yaml_reader_the_error_names_the_remedy(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UserError) as error:
        llms.text(site / "mkdocs.yml", site)
    assert error.value.remedy == "make"
