"""Generated parts of files that people read: what stands between two markers."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file that code knows better than people.

    Attributes:
        file: it is in, between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``.
        name: in the markers.
        text: what belongs there.
    """

    file: Path
    name: str
    text: str


def put(block: Block) -> str:
    """Return the file's text with the block as it is to be.

    Raises:
        UserError: the file has not these markers.
    """
    text = block.file.read_text(encoding="utf-8")
    begin, end = f"<!-- generated: {block.name} -->\n", f"<!-- end of {block.name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise UserError(
            f"{block.file} has not one block {block.name}", allowed=f"{begin}…\n{end}, once"
        )
    return pattern.sub(lambda _: f"{begin}{block.text}{end}", text)


def difference(block: Block) -> str:
    """Return how the file differs from what it is to be; nothing when it does not."""
    return "".join(
        difflib.unified_diff(
            block.file.read_text(encoding="utf-8").splitlines(keepends=True),
            put(block).splitlines(keepends=True),
            str(block.file),
            f"{block.file} as the code says",
        )
    )
