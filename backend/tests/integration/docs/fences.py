"""The fenced blocks of a Markdown page."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_OPENING = re.compile(r"^( *)(`{3,}|~{3,})\s*([^`]*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_TITLE = re.compile(r"""\btitle=["']([^"']*)["']""")


@dataclass(frozen=True, slots=True)
class Fence:
    """A block and its place.

    Attributes:
        page: the file, for messages.
        line: the number of the line with the opening fence, from 1.
        language: the first word after the opening fence; empty if there is none.
        title: the value of `title="..."`; empty if there is none.
        headings: the headings above the block, from the title of the page on.
        text: the text between the fences, without the indentation of the opening fence.
    """

    page: str
    line: int
    language: str
    title: str
    headings: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        """The file and the line in the form that editors accept."""
        return f"{self.page}:{self.line}"


def fences(text: str, page: str) -> Iterator[Fence]:
    """Yield the blocks of a page in their order.

    Raises:
        ValueError: a fence is not closed.
    """
    headings: list[tuple[int, str]] = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if heading := _HEADING.match(line):
            depth = len(heading[1])
            headings = [each for each in headings if each[0] < depth] + [(depth, heading[2])]
        if opening := _OPENING.match(line):
            indent, marks, info = opening.groups()
            closing = re.compile(rf"^ *{re.escape(marks[0])}{{{len(marks)},}}\s*$")
            inside: list[str] = []
            for _, each in lines:
                if closing.match(each):
                    break
                inside.append(each)
            else:
                raise ValueError(f"{page}:{number}: this fence is not closed")
            title = _TITLE.search(info)
            yield Fence(
                page,
                number,
                (info.split() or [""])[0],
                title[1] if title else "",
                tuple(name for _, name in headings),
                _without(indent, inside),
            )


def _without(indent: str, lines: list[str]) -> str:
    text = "".join(f"{line}\n" for line in lines)
    return text if not indent else textwrap.dedent(text)
