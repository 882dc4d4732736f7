"""Writes changes as lines: of text, of JSON, or of a table."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from app.annotation.data.changes.stream import Listed
from app.annotation.data.changes.views import Change, FieldDifference
from app.core.text.printable import printable

COLUMNS = (
    "hgnc_id", "symbol", "source", "kind", "at", "run_id", "rollback_id", "state_before", "state",
    "release_before", "release", "event", "field", "change", "element", "part", "from", "to",
)  # fmt: skip
"""The columns of the table. It has a row for each changed field."""

HEADER = ("\t".join(COLUMNS) + "\n").encode()

_FORMULA = ("=", "+", "-", "@")
"""A spreadsheet treats a cell that begins with one of these as a formula."""

_BLANKS = str.maketrans("\t\r\n", "   ")

_ENCODER = msgspec.json.Encoder()


def as_text(listed: Sequence[Listed]) -> bytes:
    """Return one line of text for each change."""
    return "".join(
        f"{printable(each.change.text.translate(_BLANKS))}\n" for each in listed
    ).encode()


def as_jsonl(listed: Sequence[Listed]) -> bytes:
    """Return one JSON object per line for each change."""
    return _ENCODER.encode_lines(each.change for each in listed)


def as_tsv(listed: Sequence[Listed]) -> bytes:
    """Return the rows of a table, without its header."""
    return "".join(_rows(each.change) for each in listed).encode()


def as_json(changes: Sequence[Change], next_after: str | None) -> bytes:
    """Return a page of changes."""
    return _ENCODER.encode({"changes": changes, "next_after": next_after})


class Format(NamedTuple):
    """An output format: the first line, and the function that writes the changes."""

    header: bytes
    write: Callable[[Sequence[Listed]], bytes]


FORMATS = {
    "text": Format(b"", as_text),
    "tsv": Format(HEADER, as_tsv),
    "jsonl": Format(b"", as_jsonl),
}
"""The formats by name."""


def _rows(change: Change) -> str:
    facts = (
        change.hgnc_id,
        change.symbol,
        change.source,
        change.kind,
        change.at.isoformat(),
        change.run_id,
        change.rollback_id,
        change.state_before,
        change.state,
        change.release_before,
        change.release,
        change.event,
    )
    begin = "\t".join(map(_cell, facts))
    fields = [_field(field) for field in change.fields] or [_event(change)]
    return "".join("\t".join((begin, *map(_cell, field))) + "\n" for field in fields)


def _field(field: FieldDifference) -> tuple[Any, ...]:
    return field.field, field.change, field.element, field.part, field.from_, field.to


def _event(change: Change) -> tuple[Any, ...]:
    detail = change.detail or {}
    return "", "", "", "", detail.get("from"), detail.get("to", detail.get("into"))


def _cell(value: Any) -> str:
    if value is None or value is msgspec.UNSET:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else _ENCODER.encode(value).decode()
    text = text.translate(_BLANKS)
    return f"'{text}" if text.startswith(_FORMULA) else text
