from app.annotation.refresh.commits import storable_answers
from app.annotation.sources.answers import Answer


def test_an_answer_that_postgresql_cannot_store_becomes_unknown_and_the_others_stay() -> None:
    good = Answer(1, "found", data={"name": "polycystin 1"})
    kept, nul, surrogate = storable_answers(
        [
            good,
            Answer(2, "found", data={"name": "a\x00b"}),
            Answer(3, "found", data={"name": "\ud800"}),
        ]
    )
    assert kept == good
    assert (nul.state, surrogate.state) == ("unknown", "unknown")
    assert nul.reason == surrogate.reason


def test_characters_that_cannot_be_stored_are_removed_from_a_reason() -> None:
    (answer,) = storable_answers([Answer(1, "unknown", reason="HGNC said \x00\ud800")])
    assert answer.reason == "HGNC said ?"


def test_an_answer_that_is_too_large_is_unknown():
    (answer,) = storable_answers([Answer(1, "found", {"name": '"' * 60_000})])
    assert (answer.state, answer.data) == ("unknown", None)
    assert "bytes" in (answer.reason or "")
