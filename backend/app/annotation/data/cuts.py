"""Reduces the data of answers to some fields, in PostgreSQL."""

import functools
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, case, func, literal, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from app.annotation.data.fields import Field

Tree = Mapping[str, "Tree"]
"""The names of nested objects. A name without members selects the whole value."""

_MAX_MEMBERS = 40
"""Maximum number of members in one call: a PostgreSQL function has at most 100 arguments."""


def cut(data: ColumnElement[Any], source: ColumnElement[str], fields: Iterable[Field]) -> Any:
    """Return the data reduced to these fields, if some of them belong to the source.

    Objects without a selected field are omitted, and a null object stays null.

    Args:
        data: the data of an answer.
        source: the source of the answer.
        fields: the fields of any sources.
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
            *itertools.chain.from_iterable(members[at : at + _MAX_MEMBERS]), type_=JSONB
        )
        for at in range(0, len(members), _MAX_MEMBERS)
    ]
    found = functools.reduce(lambda before, part: before.concat(part), parts)
    return case((func.jsonb_typeof(value) == "object", found), else_=type_coerce(value, JSONB))
