"""The card of a source, and the top of the page."""

from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import encode

from app.annotation.data.fields import fields_of
from app.annotation.data.shapes import Answer
from app.annotation.sources import SOURCES
from app.web.cards.card import Card, card, head

GENE = {"symbol": "PKD1", "hgnc_id": "HGNC:9008", "ensembl_gene_id": None, "entrez_id": "5310"}
AT = Raw(b'"2026-11-01T08:00:00+00:00"')


def answered(state: str, data: Any = None, **more: Any) -> Answer:
    said = {
        "release": "1",
        "valid_from": AT,
        "fetched_at": AT,
        "checked_state": state,
        "checked_at": AT,
        "reason": None,
        "origin": None,
        "licence": "CC0",
    } | more
    return Answer(state=state, data=None if data is None else Raw(encode(data)), **said)


def card_of(source: str, answer: Answer | None) -> Card:
    return card(
        source,
        answer,
        info=SOURCES[source].info,
        fields=fields_of(source),
        gene=GENE,
        history=None,
        enabled=True,
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_a_card_of_every_state(source: str) -> None:
    states = [
        card_of(source, each).state
        for each in (answered("found", {}), answered("absent"), answered("unknown"), None)
    ]

    assert states == ["found", "absent", "unknown", "not asked"]
    about = card_of(source, None).about
    assert about
    assert ":func:" not in about


def test_an_absent_answer_says_when_a_gene_is_absent() -> None:
    assert card_of("gnomad", None).why_absent == (
        "A gene is absent if gnomAD has no row of such a transcript, because gnomAD computes"
        " constraint for protein-coding genes only."
    )


def test_fields_of_a_picture_are_not_listed_again() -> None:
    data = {"tissues_tpm": {"Liver": 1.0}, "kidney_cortex_tpm": 2.0}

    found = card_of("gtex", answered("found", data))

    assert [each.kind for each in found.pictures] == ["bars"]
    assert [each.label for each in found.facts] == ["kidney cortex tpm"]


def test_fields_that_a_picture_cannot_show_are_listed() -> None:
    found = card_of("gtex", answered("found", {"tissues_tpm": "many"}))

    assert found.pictures == []
    assert [each.label for each in found.facts] == ["tissues tpm"]


def test_an_older_answer_after_a_failed_check_is_doubtful() -> None:
    older = card_of("gtex", answered("found", {}, checked_state="unknown"))
    unknown = card_of("gtex", answered("unknown"))

    assert (older.is_doubtful, unknown.is_doubtful) == (True, False)


def test_a_source_whose_page_needs_an_unknown_identifier_is_not_linked() -> None:
    assert card_of("gtex", None).page == ""
    assert card_of("hpo", None).page.endswith("NCBIGene:5310")


def test_the_head_has_the_name_and_the_other_identifiers() -> None:
    said = {"name": "polycystin 1", "omim_id": ["601313"], "prev_symbol": [], "location": None}

    found = head({"gtex": answered("found", {}), "hgnc": answered("found", said)})

    assert found.name == "polycystin 1"
    ((label, (number,)),) = found.facts
    assert (label, number.href) == ("OMIM", "https://omim.org/entry/601313")


def test_the_head_of_a_gene_without_answers_is_empty() -> None:
    assert head({"hgnc": answered("absent")}).facts == []
    assert head({}).name == ""
