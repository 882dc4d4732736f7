from pathlib import Path

import pytest

from app.core.errors import UserError
from app.reference.blocks import Block, difference, put

PAGE = "before\n<!-- generated: x -->\nold\n<!-- end of x -->\nafter\n"


def block(folder: Path, text: str, page: str = PAGE) -> Block:
    file = folder / "page.md"
    file.write_text(page)
    return Block(file, "x", text)


def test_only_what_is_between_the_markers_is_replaced(tmp_path: Path) -> None:
    assert put(block(tmp_path, r"new \1" + "\n")) == PAGE.replace("old", r"new \1")


def test_a_difference_shows_what_would_change_and_none_shows_nothing(tmp_path: Path) -> None:
    assert "-old\n+new\n" in difference(block(tmp_path, "new\n"))
    assert difference(block(tmp_path, "old\n")) == ""


@pytest.mark.parametrize("page", ["no marker\n", PAGE + PAGE])
def test_a_page_without_one_place_for_it_is_refused(tmp_path: Path, page: str) -> None:
    with pytest.raises(UserError, match="has not one block x"):
        put(block(tmp_path, "new\n", page))
