"""Generates the list of all sources' fields, with the operators that conditions can use."""

from collections.abc import Iterable, Iterator

from app.annotation.data.conditions import PSEUDO_FIELDS, operators_of
from app.annotation.data.fields import Field, fields_of
from app.annotation.sources import SOURCES
from reference.markdown import table

_WORDS = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "list": "list",
}


def fields() -> str:
    """Return a table of the fields of each source."""
    return "\n\n".join(_section(source) for source in SOURCES)


def operators() -> str:
    """Return a table of the operators by the type of a field, with a field of each type."""
    examples: dict[str, Field] = {}
    for source in SOURCES:
        for field in _with_parts(fields_of(source).values()):
            examples.setdefault(_kind(field), field)
    rows = (
        (kind, _operators(operators_of(field)), f"`{field.name}`")
        for kind, field in examples.items()
    )
    return table(("Type", "Operators", "For example"), rows)


def pseudo_fields() -> str:
    """Return a table of the fields of an answer itself."""
    rows = (
        (f"`{name}`", _operators(pseudo.operators), pseudo.definition)
        for name, pseudo in PSEUDO_FIELDS.items()
    )
    return table(("Name", "Operators", "Meaning"), rows)


def _section(source: str) -> str:
    info = SOURCES[source].info
    rows = (
        (f"`{field.name}`", _type(field), field.unit or "", _operators(operators_of(field)))
        for field in _with_parts(fields_of(source).values())
    )
    shown = table(("Field", "Type", "Unit", "Operators"), rows)
    return (
        f"## {source}\n\n{info.title}. The definitions are on"
        f" [its page](sources/{source}.md).\n\n{shown}"
    )


def _with_parts(found: Iterable[Field]) -> Iterator[Field]:
    for field in found:
        yield field
        yield from _with_parts(field.parts)


def _type(field: Field) -> str:
    words = _kind(field)
    if field.values:
        words = " or ".join(f"`{value}`" for value in field.values)
    if field.identity:
        words += f", identified by {', '.join(f'`{name}`' for name in field.identity)}"
    return f"{words}{' or null' * field.nullable}{'; *moves*' * field.moves}"


def _kind(field: Field) -> str:
    if field.values:
        return "fixed values"
    if field.is_date:
        return "day"
    if field.element is None:
        return _WORDS[field.kind]
    inside = "objects" if field.element == "object" else _PLURAL.get(field.element, "text")
    return f"{field.kind} of {inside}"


_PLURAL = {"integer": "numbers", "number": "numbers", "list": "lists"}


def _operators(found: tuple[str, ...]) -> str:
    return " ".join(f"`{each}`" for each in found)
