import io

import pytest

from app.annotation.upstream.bulk_files.lines import (
    BLOCK,
    UnusableFile,
    blocks_of_lines,
    blocks_of_text,
)

ROWS = [f"{number}\t{'x' * (number % 90)}\n".encode() for number in range(60_000)]
TEXT = b"".join(ROWS)


def test_blocks_contain_all_lines_and_only_whole_ones() -> None:
    blocks = list(blocks_of_text(io.BytesIO(TEXT), max_line=100, max_size=len(TEXT)))

    assert len(TEXT) > 2 * BLOCK
    assert b"".join(blocks) == TEXT
    assert all(block.endswith(b"\n") for block in blocks)


def test_a_line_may_be_longer_than_a_block() -> None:
    text = b"x" * (2 * BLOCK + 5) + b"\ny\n"

    assert list(blocks_of_text(io.BytesIO(text), max_line=3 * BLOCK, max_size=len(text))) == [text]


@pytest.mark.parametrize(
    ("text", "max_size", "message"),
    [
        (TEXT, len(TEXT) - 1, "more than"),
        (b"x" * 2 * BLOCK, 3 * BLOCK, "a line of more than"),
        (TEXT[:-1], len(TEXT), "cut short within its last line"),
    ],
)
def test_input_that_is_too_long_or_truncated_is_unusable(
    text: bytes, max_size: int, message: str
) -> None:
    with pytest.raises(UnusableFile, match=message):
        list(blocks_of_text(io.BytesIO(text), max_line=100, max_size=max_size))
    with pytest.raises(UnusableFile, match=message):
        list(blocks_of_lines(io.BytesIO(text), max_line=100, max_size=max_size, ended=True))
