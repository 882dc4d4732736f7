"""Cuts the data of answers to some fields, in PostgreSQL."""

import functools
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from app.annotation.data.fields import Field

Tree = Mapping[str, "Tree"]
"""Names of objects in objects; without members: all of the value."""

_MOST_MEMBERS = 40
"""Members of one call: PostgreSQL's functions have at most 100 arguments."""


def cut(data: ColumnElement[Any], source: ColumnElement[str], fields: Iterable[Field]) -> Any:
    """Return data with only these fields, if some of them are fields of the source.

    An object of which no field is wanted is left out, and one that is null stays null.

    Args:
        data: of an answer.
        source: of the answer.
        fields: of any sources.
    """
    trees: dict[str, dict[str, Any]] = {}
    for field in fields:
        tree = trees.setdefault(field.source, {})
        for name in field.path:
            tree = tree.setdefault(name, {})
    if not trees:
        return data
    return case(*((source == name, _cut(data, tree)) for name, tree in trees.items()), else_=data)


def _cut(value: ColumnElement[Any], tree: Tree) -> ColumnElement[Any]:
    if not tree:
        return value
    members = [(literal(name, Text), _cut(value[name], below)) for name, below in tree.items()]
    parts: list[ColumnElement[Any]] = [
        func.jsonb_build_object(
            *itertools.chain.from_iterable(members[at : at + _MOST_MEMBERS]), type_=JSONB
        )
        for at in range(0, len(members), _MOST_MEMBERS)
    ]
    found = functools.reduce(lambda before, part: before.concat(part), parts)
    return case((func.jsonb_typeof(value) == "object", found), else_=type_coerce(value, JSONB))
