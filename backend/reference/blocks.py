"""Generated text in files that people read: the text between two markers, or a whole file."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file that is generated from the code.

    Attributes:
        file: it is in, between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``; in YAML
            between ``# generated: NAME`` and ``# end of NAME``.
        name: in the markers; None when the whole file is generated.
        text: what belongs there.
    """

    file: Path
    name: str | None
    text: str


def wanted(blocks: Iterable[Block]) -> dict[Path, str]:
    """Return the new text of each file, with all of its blocks.

    Raises:
        UserError: a file is not there, or has not the markers of a block.
    """
    texts: dict[Path, str] = {}
    for block in blocks:
        if block.name is None:
            texts[block.file] = block.text
        else:
            text = texts.get(block.file) or block.file.read_text(encoding="utf-8")
            texts[block.file] = _put(block, text)
    return texts


def difference(file: Path, text: str) -> str:
    """Return the difference between a file and its new text; empty when there is none."""
    old = file.read_text(encoding="utf-8") if file.exists() else ""
    return "".join(
        difflib.unified_diff(
            old.splitlines(keepends=True),
            text.splitlines(keepends=True),
            str(file),
            f"{file} as the code says",
        )
    )


def _put(block: Block, text: str) -> str:
    begin, end = f"<!-- generated: {block.name} -->\n", f"<!-- end of {block.name} -->"
    content = f"\n{block.text.strip()}\n\n"
    if block.file.suffix in {".yaml", ".yml"}:
        begin, end = f"  # generated: {block.name}\n", f"  # end of {block.name}\n"
        content = block.text
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise UserError(
            f"{block.file} has not one block {block.name}", allowed=f"{begin}…\n{end}, once"
        )
    return pattern.sub(lambda _: f"{begin}{content}{end}", text)
