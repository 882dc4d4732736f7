"""Draws the pictures that sources declare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from app.annotation.data.fields import Field
from app.annotation.sources.pictures import (
    Bars,
    Heading,
    Labels,
    Line,
    Partners,
    Picture,
    Rows,
    Scale,
    StackedBar,
    Terms,
    Verdicts,
)
from app.web.cards.facts import Table
from app.web.cards.shapes import (
    WIDTH,
    Bar,
    Drawn,
    DrawnBars,
    DrawnLabels,
    DrawnRows,
    DrawnScale,
    DrawnStack,
    DrawnTerms,
    DrawnVerdicts,
    Group,
    Labelled,
    Level,
    Part,
    Subject,
)
from app.web.cards.values import NONE, Value, as_number, at, cut, elements, number, write

MAX_BARS = 10
"""Maximum number of bars shown initially, besides the marked ones."""

_TICKS = 4
_MIN_BAR_WIDTH = 3.0
"""The minimum width of a bar, so that small numbers stay visible."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to draw.

    Attributes:
        data: the data of the answer.
        fields: the fields of the source, by the dotted path.
    """

    data: Mapping[str, Any]
    fields: Mapping[str, Field]

    def definition(self, path: str) -> str:
        """Return the definition of a field."""
        return self.fields[path].definition if path in self.fields else ""

    def unit(self, path: str) -> str:
        """Return the unit of a field."""
        return (self.fields[path].unit or "") if path in self.fields else ""


@singledispatch
def draw(picture: Picture, answer: Answer) -> Drawn | None:
    """Draw a picture. Return None if the answer lacks its fields, as older answers may.

    Args:
        picture: the picture that the source declares.
        answer: the answer of the source.
    """
    del answer
    raise NotImplementedError(type(picture))


@draw.register
def _(picture: Heading, answer: Answer) -> Drawn | None:
    del picture, answer  # shown at the top of the page
    return None


@draw.register
def _(picture: StackedBar, answer: Answer) -> Drawn | None:
    numbers = [as_number(at(answer.data, each.field)) for each in picture.segments]
    if all(each is None for each in numbers):
        return None
    counts = [max(each or 0, 0) for each in numbers]
    total = sum(counts)
    parts, x = [], 0.0
    for segment, count in zip(picture.segments, counts, strict=True):
        width = WIDTH * count / total if total else 0.0
        share = f"{count / total:.1%}" if count else ""
        parts.append(
            Part(segment.label, segment.tone, number(count), share, round(x, 2), round(width, 2))
        )
        x += width
    unit = answer.unit(picture.segments[0].field)
    return DrawnStack(picture.title, number(total), unit, parts)


@draw.register
def _(picture: Bars, answer: Answer) -> Drawn | None:
    found = at(answer.data, picture.field)
    if not isinstance(found, dict):
        return None
    numbers = {key: value for key, each in found.items() if (value := as_number(each)) is not None}
    maximum = max(numbers.values(), default=0)
    ranked = sorted(numbers, key=lambda key: -numbers[key])
    # the marked ones are always shown initially, whatever their rank
    top = [*ranked[:MAX_BARS], *(key for key in ranked[MAX_BARS:] if key in picture.marked)]
    rest = [key for key in ranked[MAX_BARS:] if key not in picture.marked]

    def bar(key: str) -> Bar:
        name = Value(key.replace("_", " "))
        return Bar(name, number(numbers[key]), _part(numbers[key], maximum), key in picture.marked)

    return DrawnBars(
        picture.title,
        answer.unit(picture.field),
        cut([*top, *rest], bar, first=len(top)),
        answer.definition(picture.field),
    )


@draw.register
def _(picture: Scale, answer: Answer) -> Drawn | None:
    levels = [_level(picture, line, answer) for line in picture.lines]
    if all(level.x is None for level in levels):
        return None
    step = (picture.maximum - picture.minimum) / _TICKS
    ticks = [f"{picture.minimum + place * step:g}" for place in range(_TICKS + 1)]
    mark = None if picture.mark is None else _place(picture, picture.mark)
    return DrawnScale(picture.title, levels, ticks, picture.left, picture.right, mark)


def _level(picture: Scale, line: Line, answer: Answer) -> Level:
    value = as_number(at(answer.data, line.value))
    beside = [
        (label, number(found))
        for label, path in line.beside
        if (found := as_number(at(answer.data, path))) is not None
    ]
    if value is None:
        return Level(line.label, NONE.text, None, 0, 0, beyond=False, beside=beside)
    lower, upper = (
        as_number(at(answer.data, path)) if path else None for path in (line.lower, line.upper)
    )
    text = number(value)
    low = high = value
    if lower is not None and upper is not None:
        low, high = lower, upper
        text += f" ({number(lower)} to {number(upper)})"
    return Level(
        line.label,
        text,
        _place(picture, value),
        _place(picture, low),
        _place(picture, high),
        beyond=max(value, high) > picture.maximum,
        beside=beside,
    )


def _place(picture: Scale, value: float) -> float:
    share = (value - picture.minimum) / (picture.maximum - picture.minimum)
    return round(WIDTH * min(max(share, 0.0), 1.0), 2)


@draw.register
def _(picture: Terms, answer: Answer) -> Drawn | None:
    first, every = (at(answer.data, path) for path in (picture.first, picture.field))
    if not isinstance(first, dict) or not isinstance(every, dict):
        return None
    rest = {term: name for term, name in every.items() if term not in first}
    groups = [
        Group(title, cut([*terms.items()], lambda pair: (write(pair[1]), write(pair[0]))))
        for title, terms in ((picture.first_title, first), (picture.rest_title, rest))
    ]
    return DrawnTerms(picture.title, groups, answer.definition(picture.first))


@draw.register
def _(picture: Labels, answer: Answer) -> Drawn | None:
    rows = _labelled(picture, answer)
    if rows is None:
        return None
    counts = [
        (label, tone, sum(each.label == label for each in rows))
        for label, tone in picture.tones.items()
    ]
    return DrawnLabels(
        picture.title,
        counts,
        [label for label, _ in picture.beside],
        cut(rows, lambda row: row),
        answer.definition(picture.field),
    )


@draw.register
def _(picture: Verdicts, answer: Answer) -> Drawn | None:
    rows = _labelled(picture, answer)
    if rows is None:
        return None
    found = sorted(elements(at(answer.data, picture.field)), key=_rank(picture))
    by_subject: dict[str, list[int]] = {}
    for place, each in enumerate(found):
        by_subject.setdefault(str(each.get(picture.identifier)), []).append(place)

    def subject(places: list[int]) -> Subject:
        of_subject = [rows[place] for place in places]
        identifier = write(found[places[0]].get(picture.identifier), picture.identifier)
        every = cut(of_subject, lambda row: row)
        return Subject(of_subject[0].name, identifier, of_subject[0], every)

    return DrawnVerdicts(
        picture.title,
        [label for label, _ in picture.beside],
        cut([*by_subject.values()], subject),
        answer.definition(picture.field),
    )


def _labelled(picture: Labels, answer: Answer) -> list[Labelled] | None:
    found = at(answer.data, picture.field)
    if not isinstance(found, list):
        return None
    return [
        Labelled(
            text := str(element.get(picture.label)),
            picture.tones.get(text, "faint"),
            write(element.get(picture.name), picture.name),
            [write(element.get(name), name) for _, name in picture.beside],
        )
        for element in sorted(elements(found), key=_rank(picture))
    ]


def _rank(picture: Labels) -> Any:
    ranks = {label: rank for rank, label in enumerate(picture.tones)}
    return lambda element: ranks.get(str(element.get(picture.label)), len(ranks))


@draw.register
def _(picture: Partners, answer: Answer) -> Drawn | None:
    found = at(answer.data, picture.field)
    if not isinstance(found, list):
        return None

    def bar(partner: Mapping[str, Any]) -> Bar:
        score = as_number(partner.get(picture.score)) or 0
        name, hgnc_id = (write(partner.get(each)) for each in (picture.name, picture.hgnc_id))
        label = Value(hgnc_id.text if name.is_none else name.text, gene=hgnc_id.gene)
        return Bar(label, number(score), _part(score, picture.maximum))

    partners = elements(found)
    unit = next((f.unit for f in _parts(answer, picture.field) if f.path[-1] == picture.score), "")
    return DrawnBars(
        picture.title,
        unit or "",
        cut(partners, bar, first=MAX_BARS),
        answer.definition(picture.field),
    )


def _parts(answer: Answer, path: str) -> Sequence[Field]:
    return answer.fields[path].parts if path in answer.fields else ()


@draw.register
def _(picture: Rows, answer: Answer) -> Drawn | None:
    found = at(answer.data, picture.field)
    if not isinstance(found, list):
        return None
    named = {
        column: names if isinstance(names := at(answer.data, path), dict) else {}
        for column, path in picture.names.items()
    }

    def row(element: Mapping[str, Any]) -> list[Value]:
        return [_named(element.get(name), name, named.get(name)) for _, name in picture.columns]

    definitions = {part.path[-1]: part.definition for part in _parts(answer, picture.field)}
    columns = [(label, definitions.get(name, "")) for label, name in picture.columns]
    rows = cut(elements(found), row)
    return DrawnRows(
        picture.title, Table(columns, frozenset(), rows), answer.definition(picture.field)
    )


def _named(value: Any, field: str, names: Mapping[str, Any] | None) -> Value:
    if names is not None and isinstance(value, list):
        value = [names.get(each, each) if isinstance(each, str) else each for each in value]
    return write(value, field)


def _part(value: float, maximum: float) -> float:
    if value <= 0 or maximum <= 0:
        return 0.0
    return round(min(max(WIDTH * value / maximum, _MIN_BAR_WIDTH), WIDTH), 2)
