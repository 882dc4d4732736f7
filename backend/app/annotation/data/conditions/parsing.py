"""Parses conditions and converts them to SQL expressions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal_column, select

from app.annotation.data.conditions.predicates import (
    Operator,
    Test,
    Value,
    any_element,
    any_value,
    at_path,
    compare,
    is_given,
    unless,
)
from app.annotation.data.conditions.pseudo_fields import PSEUDO_FIELDS
from app.annotation.data.conditions.values import (
    read_boolean,
    read_date,
    read_number,
    read_one_of,
    read_text,
    read_whole_number,
)
from app.annotation.data.field_names import Known, find_path, outside_quotes, unquoted
from app.annotation.data.fields import Field, MapKey
from app.annotation.data.moments import Moment
from app.annotation.data.versions import answers_at
from app.core.errors import WrongUse

MAX_CONDITIONS = 20
"""Maximum number of conditions in one query."""

MAX_CHARS = 500
"""Maximum length of a condition in characters."""

FORM = (
    "FIELD OPERATOR VALUE, such as clinvar.germline.pathogenic>=10, with one of"
    " = != < <= > >= ~, or FIELD? for a field that has a value"
)
"""The syntax of a condition, for messages."""

_OPERATORS: tuple[Operator, ...] = ("!=", "<=", ">=", "=", "<", ">", "~", "?")
"""All operators, longer ones first, so that a prefix is not mistaken for the operator."""

_ORDERED: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=", "?")
_EQUAL: tuple[Operator, ...] = ("=", "!=", "?")
_TEXTUAL: tuple[Operator, ...] = ("=", "!=", "~", "?")


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that answers of one source satisfy or not.

    Attributes:
        text: the condition as typed.
        source: the source whose answers are tested.
        test: returns the SQL condition on the columns of this source's answers.
    """

    text: str
    source: str
    test: Callable[[Any], ColumnElement[bool]]

    def where(self, answers: Any) -> ColumnElement[bool]:
        """Return the SQL condition that an answer is from the source and satisfies this condition.

        Args:
            answers: a subquery of answers; see `versions.answers_at`.
        """
        return and_(answers.c.source == self.source, self.test(answers))


def parse_condition(text: str, known: Known) -> Condition:
    """Parse a typed condition.

    Raises:
        WrongUse: the syntax is wrong, or the field, the operator or the value is not allowed.
    """
    text = text.strip()
    name, operator, value = _split(text)
    source, _, rest = name.partition(".")
    if source in known and rest in PSEUDO_FIELDS:
        pseudo = PSEUDO_FIELDS[rest]
        _check_operator(text, name, operator, pseudo.operators)
        return Condition(text, source, pseudo.test(text, operator, value))
    *lists, field = find_path(name, known)
    _check_operator(text, name, operator, operators_of(field))
    test = _test(text, field, operator, value)
    for parent in reversed(lists):
        test = any_element(_within(field.path[len(parent.path) :], test))
        field = parent
    if operator == "!=":
        test = unless(test)
    place = field.path

    def found(answers: Any) -> ColumnElement[bool]:
        return and_(answers.c.state == "found", test(at_path(answers.c.data, place)))

    return Condition(text, source, found)


def parse_conditions(texts: Sequence[str], known: Known) -> list[Condition]:
    """Parse typed conditions.

    Raises:
        WrongUse: there are too many, or one is not allowed.
    """
    if len(texts) > MAX_CONDITIONS:
        raise WrongUse(f"there are {len(texts):,} conditions", allowed=f"at most {MAX_CONDITIONS}")
    return [parse_condition(text, known) for text in texts]


def satisfied(
    conditions: Iterable[Condition], moment: Moment, gene_id: ColumnElement[int]
) -> ColumnElement[bool]:
    """Return the SQL condition that the answers about a gene satisfy all conditions.

    Args:
        conditions: the conditions. Every gene satisfies an empty list.
        moment: when the answers were valid.
        gene_id: the column of the gene's id in the enclosing query.
    """
    by_source: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_source.setdefault(condition.source, []).append(condition)
    return and_(
        literal_column("true"),
        *(
            _has_answer(moment, gene_id, number, conditions)
            for number, conditions in enumerate(by_source.values())
        ),
    )


def operators_of(field: Field) -> tuple[Operator, ...]:
    """Return the operators that a condition on a field can use."""
    kind = field.element if field.kind in {"list", "map"} else field.kind
    if kind in {"object", "list", "map"}:
        return ("?",)
    if field.kind == "map" and kind != "text":
        return ("?",)
    if kind == "text" and not field.values and not field.is_date:
        return _TEXTUAL
    return _EQUAL if field.kind == "list" or kind == "boolean" or field.values else _ORDERED


def _has_answer(
    moment: Moment, gene_id: ColumnElement[int], number: int, conditions: Sequence[Condition]
) -> ColumnElement[bool]:
    answers = answers_at(moment, f"answers_{number}")
    wanted = (condition.where(answers) for condition in conditions)
    return exists(
        select(literal_column("1"))
        .select_from(answers)
        .where(answers.c.gene_id == gene_id, *wanted)
    )


def _split(text: str) -> tuple[str, Operator, str]:
    """Return the name, the operator and the value; the value of ``?`` is empty."""
    if len(text) > MAX_CHARS:
        raise WrongUse(
            f"a condition of {len(text):,} characters", allowed=f"at most {MAX_CHARS} characters"
        )
    # PostgreSQL's text cannot contain lone surrogates or NUL
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise WrongUse(
            f"the condition {text!r} has characters that cannot be stored",
            allowed="text of whole characters, without NUL",
        )
    place = next(outside_quotes(text, "!=<>~?"), len(text))
    rest = text[place:]
    operator = next((each for each in _OPERATORS if rest.startswith(each)), None)
    name = text[:place].strip()
    value = rest[len(operator or "") :].strip()
    if operator is None or not name or (operator == "?") != (not value):
        raise WrongUse(f"the condition {text!r} has a wrong syntax", allowed=FORM)
    if value.startswith('"'):
        bare = unquoted(value)
        if bare is None:
            raise WrongUse(
                f"the condition {text!r}: the quotes of its value are not closed",
                allowed='a value as it is, or in double quotes, in which " is written ""',
            )
        value = bare
    return name, operator, value


def _check_operator(text: str, name: str, operator: Operator, allowed: Sequence[Operator]) -> None:
    if operator not in allowed:
        raise WrongUse(
            f"the condition {text!r}: {name} cannot be compared with {operator}",
            allowed=", ".join(f"{name}{each}" for each in allowed),
        )


def _test(text: str, field: Field | MapKey, operator: Operator, value: str) -> Test:
    if operator == "?":
        return is_given
    test = compare("=" if operator == "!=" else operator, _value(text, field, value))
    if field.kind == "list":
        return any_element(test)
    return any_value(test) if field.kind == "map" else test


def _value(text: str, field: Field | MapKey, value: str) -> Value:
    kind = field.element if field.kind in {"list", "map"} else field.kind
    if field.values:
        return read_one_of(text, value, field.values)
    if field.is_date:
        return read_date(text, value)
    readers: dict[str | None, Callable[[str, str], Value]] = {
        "boolean": read_boolean,
        "integer": read_whole_number,
        "number": read_number,
        "text": read_text,
    }
    return readers[kind](text, value)


def _within(path: Sequence[str], test: Test) -> Test:
    return lambda element: test(at_path(element, path))
