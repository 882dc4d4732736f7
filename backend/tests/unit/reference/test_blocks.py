from pathlib import Path

import pytest

from app.core.errors import UserError
from reference.blocks import Block, difference, wanted

PAGE = "before\n<!-- generated: x -->\nold\n<!-- end of x -->\nafter\n"


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PAGE)
    return file


def test_only_the_text_between_the_markers_is_replaced(page: Path) -> None:
    texts = wanted([Block(page, "x", "new \\1\n")])
    assert texts == {page: PAGE.replace("old\n", "\nnew \\1\n\n")}


def test_all_blocks_of_a_file_are_replaced_together(page: Path) -> None:
    page.write_text(PAGE + PAGE.replace(" x ", " y "))
    (text,) = wanted([Block(page, "x", "one"), Block(page, "y", "two")]).values()
    assert "old" not in text
    assert text.index("one") < text.index("two")


def test_a_whole_file_may_be_generated(tmp_path: Path) -> None:
    file = tmp_path / "new.txt"
    assert wanted([Block(file, None, "all of it\n")]) == {file: "all of it\n"}
    assert "+all of it\n" in difference(file, "all of it\n")


def test_in_yaml_the_markers_are_comments(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("a: 1\nb:\n  # generated: x\n  c: 1\n  # end of x\nd: 2\n")
    texts = wanted([Block(file, "x", "  c: 2\n")])
    assert texts == {file: "a: 1\nb:\n  # generated: x\n  c: 2\n  # end of x\nd: 2\n"}


def test_a_difference_shows_the_changes_and_is_empty_without_any(page: Path) -> None:
    assert "-old\n+new\n" in difference(page, PAGE.replace("old", "new"))
    assert difference(page, PAGE) == ""


@pytest.mark.parametrize("text", ["no marker\n", PAGE + PAGE])
def test_a_page_without_exactly_one_place_for_a_block_is_refused(page: Path, text: str) -> None:
    page.write_text(text)
    with pytest.raises(UserError, match="does not have exactly one block x"):
        wanted([Block(page, "x", "new\n")])
