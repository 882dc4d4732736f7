"""Generates the documentation of the database tables from `app.db.tables`."""

from collections.abc import Iterator

from sqlalchemy import (
    Column,
    Constraint,
    DefaultClause,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, ExecutableDDLElement

from app.db.tables import metadata
from reference.markdown import table

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]

_SHORT = {"timestamp with time zone": "timestamptz", "double precision": "float8"}
"""PostgreSQL's short names, because a type in a diagram must be one word."""


def diagram() -> str:
    """Return a diagram of the tables, their columns and their foreign keys."""
    lines = ["erDiagram"]
    for each in metadata.tables.values():
        lines.append(f"    {each.name} {{")
        lines += [f"        {_type(c)} {c.name}{_key(c)}" for c in each.columns]
        lines.append("    }")
    for each in metadata.tables.values():
        for key in (key for column in each.columns for key in column.foreign_keys):
            one = "|o" if key.parent.nullable else "||"
            there = key.column.table.name
            lines.append(f'    {there} {one}--o{{ {each.name} : "{key.parent.name}"')
    return "\n".join(["```mermaid", *lines, "```"])


def sections() -> str:
    """Return a section for each table: its columns, and its constraints and indexes as SQL."""
    head = ["Column", "Type", "Null", "Default", "Meaning"]
    parts = []
    for each in metadata.tables.values():
        rows = [
            [f"`{c.name}`", _type(c), "yes" if c.nullable else "", _default(c), _meaning(c)]
            for c in each.columns
        ]
        parts += [f"### {each.name}\n", table(head, rows)]
        if rules := "\n".join(_rules(each)):
            parts.append(f"```sql\n{rules}\n```\n")
    return "\n".join(parts)


def _type(column: "Column[object]") -> str:
    words = column.type.compile(_POSTGRESQL).lower()
    for name, short in _SHORT.items():
        words = words.replace(name, short)
    return words


def _key(column: "Column[object]") -> str:
    keys = [
        *(["PK"] if column.primary_key else []),
        *(["FK"] if column.foreign_keys else []),
        *(["UK"] if column.unique else []),
    ]
    return " " + ", ".join(keys) if keys else ""


def _default(column: "Column[object]") -> str:
    if column.identity is not None:
        return "generated"
    if not isinstance(column.server_default, DefaultClause):
        return ""
    value = column.server_default.arg
    return f"`{value if isinstance(value, str) else value.compile(dialect=_POSTGRESQL)}`"


def _meaning(column: "Column[object]") -> str:
    words = [column.comment] if column.comment else []
    if column.primary_key:
        words.insert(0, "primary key")
    for key in column.foreign_keys:
        there = key.column.table.name
        cascade = ", deleted with it" if key.ondelete == "CASCADE" else ""
        words.append(f"`{key.column.name}` of [{there}](#{there}){cascade}")
    return "; ".join(words)


def _rules(each: Table) -> Iterator[str]:
    told = (PrimaryKeyConstraint, ForeignKeyConstraint)
    constraints: list[Constraint] = [c for c in each.constraints if not isinstance(c, told)]
    for statement in sorted(_sql(AddConstraint(c)) for c in constraints):
        yield statement
    for statement in sorted(_sql(CreateIndex(index)) for index in each.indexes):
        yield statement


def _sql(statement: ExecutableDDLElement) -> str:
    return str(statement.compile(dialect=_POSTGRESQL)).strip() + ";"
