"""Generated text: the text between two markers of a file, or a whole file."""

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
        file: the file, with the block between ``<!-- generated: NAME -->`` and ``<!-- end of NAME
            -->``; in YAML between ``# generated: NAME`` and ``# end of NAME``.
        name: the name in the markers; None if the whole file is generated.
        text: the generated text.
    """

    file: Path
    name: str | None
    text: str


def wanted(blocks: Iterable[Block]) -> dict[Path, str]:
    """Return the updated text of each file with its blocks.

    Raises:
        UserError: a file does not exist, or lacks the markers of a block.
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
    """Return the diff between a file and its updated text; empty if they are equal."""
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
            f"{block.file} does not have exactly one block {block.name}",
            allowed=f"{begin}…\n{end}, once",
        )
    return pattern.sub(lambda _: f"{begin}{content}{end}", text)
