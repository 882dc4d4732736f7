"""The site's build, and that little holds it to its builder."""

import hashlib
import json
import re
from pathlib import Path

import yaml

from tests.conftest import REPOSITORY
from tests.integration.site.reading import pages

VENDOR = REPOSITORY / "docs" / "theme" / "assets" / "vendor"


def test_builds_strictly_without_a_word(built: tuple[Path, str]) -> None:
    assert built[1] == ""


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
