"""The fields of an answer itself that conditions can use: ``clinvar.state=absent``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, and_, func, literal, not_

from app.annotation.data.conditions.predicates import Operator
from app.annotation.data.conditions.values import read_one_of, read_time

STATES = ("found", "absent", "unknown")
"""The three answers."""

Test = Callable[[Any], ColumnElement[bool]]
"""Returns the SQL condition on the columns of answers."""


@dataclass(frozen=True, slots=True)
class PseudoField:
    """A column of the answers that every source has.

    Attributes:
        definition: the definition.
        operators: the operators that a condition can use.
        test: returns the SQL condition, from the condition's text, the operator and the value.
    """

    definition: str
    operators: tuple[Operator, ...]
    test: Callable[[str, Operator, str], Test]


def _state(condition: str, operator: Operator, value: str) -> Test:
    state = literal(read_one_of(condition, value, STATES), Text)
    return lambda answers: answers.c.state.bool_op(operator)(state)


def _release(condition: str, operator: Operator, value: str) -> Test:
    del condition
    typed = literal(value, Text)
    if operator == "?":
        return lambda answers: answers.c.release.is_not(None)
    if operator == "~":
        return lambda answers: func.strpos(func.lower(answers.c.release), func.lower(typed)) > 0
    return lambda answers: answers.c.release.bool_op(operator)(typed)


def _fetched_at(condition: str, operator: Operator, value: str) -> Test:
    if operator == "?":
        return lambda answers: answers.c.fetched_at.is_not(None)
    start, end = (literal(at, DateTime(timezone=True)) for at in read_time(condition, value))

    def test(answers: Any) -> ColumnElement[bool]:
        at = answers.c.fetched_at
        within = and_(at >= start, at < end)
        of: dict[Operator, ColumnElement[bool]] = {
            "=": within,
            "!=": not_(within),
            "<": at < start,
            "<=": at < end,
            ">": at >= end,
            ">=": at >= start,
        }
        return of[operator]

    return test


PSEUDO_FIELDS = {
    "state": PseudoField(
        "The answer: found, absent (the source has no data for the gene), or unknown (it could"
        " not be found out).",
        ("=", "!="),
        _state,
    ),
    "release": PseudoField(
        "The release of the source that the answer is from.", ("=", "!=", "~", "?"), _release
    ),
    "fetched_at": PseudoField(
        "When the answer was last fetched. A day means the whole day, in UTC.",
        ("=", "!=", "<", "<=", ">", ">=", "?"),
        _fetched_at,
    ),
}
"""The pseudo fields by name. No field of a source may have one of these names."""
