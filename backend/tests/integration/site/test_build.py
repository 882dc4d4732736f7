"""The site's build, and that little holds it to its builder."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.integration.site.conftest import build
from tests.integration.site.reading import pages

pytestmark = pytest.mark.pages

VENDOR = REPOSITORY / "docs" / "theme" / "assets" / "vendor"


def test_builds_without_a_warning(built: tuple[Path, str]) -> None:
    assert [line for line in built[1].splitlines() if not line.startswith("INFO ")] == []


def test_a_page_that_is_wrong_does_not_build(sources: Path, tmp_path: Path) -> None:
    shutil.copy(sources / "mkdocs.yml", tmp_path)
    shutil.copytree(sources / "docs", tmp_path / "docs")
    (tmp_path / "docs" / "novel.md").write_text("# Not in the navigation\n")
    (tmp_path / "docs" / "tutorial.md").write_text("# X\n\n[page](no.md), [place](#nowhere)\n")
    done = build(tmp_path, "mkdocs", "--strict")
    assert done.returncode != 0
    for fault in ("The following pages exist", ".* 'no.md'", ".* '#nowhere'"):
        assert re.search(f"^WARNING -  {fault}", done.stderr, re.MULTILINE)
    assert "novel.md" in done.stderr


def test_needs_no_plugin_but_search_and_no_hook() -> None:
    # this loader makes no object of `!!python/name`
    configuration = yaml.load((REPOSITORY / "mkdocs.yml").read_text(), yaml.BaseLoader)

    assert [name for plugin in configuration["plugins"] for name in plugin] == ["search"]
    assert "hooks" not in configuration


def test_search_from_a_folder_has_the_same_index(site: Path) -> None:
    script = (site / "search" / "search_index.js").read_text()

    index = json.loads(script.removeprefix("var __index = "))

    assert index == json.loads((site / "search" / "search_index.json").read_text())
    headings = {
        f"{name}#{anchor}"
        for name, page in pages(site).items()
        for level, anchor, _ in page.headings
        if level in {"h2", "h3"}
    }
    assert headings <= {entry["location"] for entry in index["docs"]}


def test_scripts_of_others_are_those_that_their_note_names() -> None:
    note = (VENDOR / "README.md").read_text()
    noted = dict(re.findall(r"^\| `(\S+\.js)` .*`(\w{64})` \|$", note, re.MULTILINE))

    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")
    }

    assert noted == there


def test_scripts_of_others_go_with_their_licences(site: Path) -> None:
    for script in VENDOR.glob("*.js"):
        licence = f"{script.name.split('.')[0]}.LICENSE"
        assert "Permission is hereby granted" in (site / "assets/vendor" / licence).read_text()


def test_loads_mermaid_where_there_is_a_diagram_and_nowhere_else(site: Path) -> None:
    for name, page in pages(site).items():
        loads = any("mermaid" in reference for reference in page.references)
        assert loads == bool(page.diagrams), name
