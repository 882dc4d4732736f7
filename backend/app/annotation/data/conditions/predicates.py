"""Builds SQL comparisons of stored values that never fail, whatever the stored values are.

A missing value, or a value of another type than the field declares, satisfies no comparison.
Numbers and texts are compared as jsonb, so that no cast can fail.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Numeric,
    Text,
    and_,
    case,
    cast,
    column,
    exists,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "?"]

Value = bool | Decimal | str

Test = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""Returns the SQL condition on a value."""

_TYPES: dict[type[Value], Any] = {bool: Boolean, Decimal: Numeric, str: Text}

_EMPTY_LIST: ColumnElement[Any] = literal_column("'[]'::jsonb")

_EMPTY_OBJECT: ColumnElement[Any] = literal_column("'{}'::jsonb")

_JSON_NULL: ColumnElement[Any] = literal_column("'null'::jsonb")

_JSON_TYPES: dict[type[Value], Any] = {bool: "boolean", Decimal: "number", str: "string"}


def at_path(value: ColumnElement[Any], path: Sequence[str]) -> ColumnElement[Any]:
    """Return the value at a path of an object; null if there is none."""
    return func.jsonb_extract_path(value, *(literal(name, Text) for name in path), type_=JSONB)


def is_given(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that there is a value: not null, an empty list or an empty object."""
    return value.not_in([_JSON_NULL, _EMPTY_LIST, _EMPTY_OBJECT])


def compare(operator: Operator, against: Value) -> Test:
    """Return the comparison with a number, a text, or a boolean.

    Args:
        operator: the operator; ``~`` only for texts, and not ``!=``, which :func:`unless` handles.
        against: the value to compare with.
    """
    typed = cast(against, _TYPES[type(against)])

    def test(value: ColumnElement[Any]) -> ColumnElement[bool]:
        if operator == "~":
            found = func.strpos(func.lower(_text(value)), func.lower(typed)) > 0
        else:
            found = value.bool_op(operator)(func.to_jsonb(typed))
        # the value is compared first: most values differ, so their type is rarely evaluated
        return and_(found, func.jsonb_typeof(value) == _JSON_TYPES[type(against)])

    return test


def unless(test: Test) -> Test:
    """Return the opposite of a condition, for values that are not null."""
    return lambda value: and_(func.jsonb_typeof(value) != "null", ~test(value))


def any_element(test: Test) -> Test:
    """Return the condition that an element of a list satisfies a condition."""
    return _any(func.jsonb_array_elements, "array", _EMPTY_LIST, test)


def any_value(test: Test) -> Test:
    """Return the condition that a value of a map satisfies a condition."""
    return _any(func.jsonb_each, "object", _EMPTY_OBJECT, test)


def _any(elements: Any, json_type: str, empty: ColumnElement[Any], test: Test) -> Test:
    def any_of(value: ColumnElement[Any]) -> ColumnElement[bool]:
        # the functions raise an error for any other type
        safe = case((func.jsonb_typeof(value) == json_type, value), else_=empty)
        each = elements(safe).table_valued(column("value", JSONB), joins_implicitly=True)
        return exists(select(literal_column("1")).select_from(each).where(test(each.c.value)))

    return any_of


def _text(value: ColumnElement[Any]) -> ColumnElement[str]:
    return value.op("#>>", return_type=Text)(literal_column("'{}'::text[]"))
