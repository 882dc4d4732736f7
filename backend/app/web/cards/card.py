"""Assembles the card of a source: the state, the answer and the history."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.annotation.data.fields import Field
from app.annotation.data.gene_changes import Latest
from app.annotation.data.shapes import Answer
from app.annotation.sources import SOURCES
from app.annotation.sources.declaration import SourceInfo
from app.annotation.sources.links import gene_page
from app.annotation.sources.pictures import Heading, Picture
from app.web.cards import drawing
from app.web.cards.drawing import draw
from app.web.cards.facts import Fact, facts
from app.web.cards.shapes import Drawn
from app.web.cards.values import Value, at, write

_ABSENT = re.compile(r"\babsent\b")


@dataclass(frozen=True, slots=True)
class Card:
    """The card of a source.

    Attributes:
        source: the name of the source.
        title: the name of the source for people.
        about: a description of the source.
        why_absent: when a gene is absent in the source; empty if not documented.
        info: the declaration; None for a removed source.
        answer: the answer; None if the source was not asked yet.
        licence: the licence of the answer.
        times: the times of the answer and of its check.
        page: the address of the source's own page of the gene; empty if there is none.
        pictures: the pictures of a found answer.
        facts: the fields without a picture.
        history: the latest changes.
        enabled: whether a run of all sources covers the source.
    """

    source: str
    title: str
    about: str
    why_absent: str
    info: SourceInfo | None
    answer: Answer | None
    licence: str | None
    times: "Times"
    page: str
    pictures: Sequence[Drawn]
    facts: Sequence[Fact]
    history: Latest | None
    enabled: bool

    @property
    def state(self) -> str:
        """The state of the answer, or the state for a missing answer."""
        return "not asked" if self.answer is None else self.answer.state

    @property
    def is_doubtful(self) -> bool:
        """Whether the last check ended unknown, so that an older answer is shown."""
        answer = self.answer
        return answer is not None and "unknown" == answer.checked_state != answer.state


class Times(msgspec.Struct, frozen=True):
    """The times of an answer.

    Attributes:
        valid_from: when the answer last changed.
        fetched_at: when the answer was fetched.
        checked_at: when the source was last asked.
    """

    valid_from: datetime | None = None
    fetched_at: datetime | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The data shown at the top of the page.

    Attributes:
        name: the gene's full name; empty if no source has it.
        facts: the names of further facts, with their values.
    """

    name: str
    facts: Sequence[tuple[str, Sequence[Value]]]


def card(
    source: str,
    answer: Answer | None,
    *,
    info: SourceInfo | None,
    fields: Mapping[str, Field],
    gene: Mapping[str, str | None],
    history: Latest | None,
    enabled: bool,
) -> Card:
    """Return the card of a source.

    Args:
        source: the name of the source.
        answer: the answer about the gene.
        info: the declaration of the source.
        fields: the fields of its data, by name.
        gene: the identifiers and the symbol of the gene.
        history: the latest changes.
        enabled: whether a run of all sources covers the source.
    """
    data = _decoded(answer)
    declared = _pictures(source)
    drawn: list[Drawn] = []
    shown: set[str] = set()
    if data is not None:
        by_path = {".".join(field.path): field for field in fields.values()}
        for picture in declared:
            if (found := draw(picture, drawing.Answer(data, by_path))) is not None:
                drawn.append(found)
                shown.update(picture.fields)
    return Card(
        source,
        info.title if info else source,
        _about(source),
        _why_absent(source),
        info,
        answer,
        answer.licence if answer and answer.licence else info.licence if info else None,
        _times(answer),
        gene_page(info.gene_page, gene) if info else "",
        drawn,
        facts(fields.values(), data, shown) if data is not None else [],
        history,
        enabled,
    )


def head(answers: Mapping[str, Answer]) -> Head:
    """Return the data of answers that are shown at the top of the page."""
    name, found = "", list[tuple[str, Sequence[Value]]]()
    for source, answer in answers.items():
        headings = [picture for picture in _pictures(source) if isinstance(picture, Heading)]
        data = _decoded(answer) if headings else None
        for heading in headings:
            full_name = at(data, heading.name)
            name = name or (full_name if isinstance(full_name, str) else "")
            for label, path in heading.facts:
                value = at(data, path)
                values = value if isinstance(value, list) else [value]
                written = [write(each, path) for each in values if each is not None]
                if written:
                    found.append((label, written))
    return Head(name, found)


def _pictures(source: str) -> Sequence[Picture]:
    return SOURCES[source].pictures if source in SOURCES else ()


def _about(source: str) -> str:
    """Return the description of a source: the first paragraph of its documentation."""
    return _documented(source).split("\n\n", maxsplit=1)[0]


def _why_absent(source: str) -> str:
    """Return the sentences of its documentation that say when a gene is absent."""
    sentences = re.split(r"(?<=\.)\s+", _documented(source))
    return " ".join(
        " ".join(sentence.split()) for sentence in sentences if _ABSENT.search(sentence)
    )


def _documented(source: str) -> str:
    return (SOURCES[source].__doc__ or "").replace("``", "`") if source in SOURCES else ""


def _times(answer: Answer | None) -> Times:
    if answer is None:
        return Times()
    return Times(
        *(
            None if written is None else msgspec.json.decode(written, type=datetime)
            for written in (answer.valid_from, answer.fetched_at, answer.checked_at)
        )
    )


def _decoded(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None or answer.data is None:
        return None
    data = msgspec.json.decode(answer.data)
    return data if isinstance(data, dict) else None
