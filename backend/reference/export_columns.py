"""Generates the columns of exports from the declared fields."""

from app.annotation.data.export.columns import GENE_COLUMNS, About, columns_of, long_columns
from app.annotation.data.export.order import Column
from app.annotation.data.fields import Field, fields_of
from app.annotation.sources import SOURCES
from reference.markdown import table

_ANSWER = 3
"""The number of columns of an answer before its fields."""


def genes() -> str:
    """Return a table of the columns that identify the gene."""
    return table(("Column", "Type", "Meaning"), [_described(column) for column in GENE_COLUMNS])


def answers() -> str:
    """Return a table of the columns that each source has before its fields."""
    columns, _ = columns_of(About("SOURCE"), (), 0)
    return table(("Column", "Type", "Meaning"), [_described(column) for column in columns])


def fields() -> str:
    """Return a table of the fields' columns for each source."""
    return "\n\n".join(_section(source) for source in SOURCES)


def _section(source: str) -> str:
    found = fields_of(source)
    columns, _ = columns_of(About(source), found.values(), 0)
    rows = [
        (f"`{column.name}`", _type(column), column.unit or "", _long(found[column.name]))
        for column in columns[_ANSWER:]
    ]
    shown = table(("Column", "Type", "Unit", "Columns of the long form"), rows)
    return f"### {source}\n\nSee [{SOURCES[source].info.title}](sources/{source}.md).\n\n{shown}"


def _described(column: Column) -> tuple[str, str, str]:
    return f"`{column.name}`", _type(column), column.definition


def _type(column: Column) -> str:
    return "JSON" if column.type == "json" else column.type


def _long(field: Field) -> str:
    if field.kind not in {"list", "map"}:
        return ""
    columns, _ = long_columns(About(field.source), field)
    below = len(field.name) + 1
    return ", ".join(f"`{column.name[below:]}`" for column in columns[_ANSWER - 1 :])
