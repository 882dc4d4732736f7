import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.upstream.answers import excerpt, failure, retry_after
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.retry import TryAgain
from app.core.errors import UserError

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2),
        ("0.397", 0.397),
        ("0", 0),
        ("-3", 0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 99 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_retry_after_in_all_its_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.text())
def test_any_retry_after_is_a_number_of_seconds_or_nothing(value):
    seconds = retry_after(value)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.binary())
def test_an_excerpt_is_one_short_line_of_any_body(body):
    shown = excerpt(body)
    assert shown
    assert len(shown) <= 201
    assert shown.isprintable()


def recorded(shared_data):
    lines = (shared_data / "eutils-errors" / "quoted_a.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_errors_recorded_from_ncbi_and_ensembl_are_told_apart(shared_data):
    expected = {429: TryAgain, 500: TryAgain, ("ncbi", 400): UserError, ("ensembl", 400): BadAnswer}
    seen = set()
    for record in recorded(shared_data):
        status = record["status"]
        if status == 200:
            continue
        response = httpx.Response(status, headers=record.get("headers"))
        found = failure(record["source"], response, record["body"].encode(), [])
        kind = status if status in expected else (record["source"], status)
        assert isinstance(found, expected[kind])
        seen.add(kind)
        if status == 429:
            assert found.delay == 2
    assert seen == set(expected)
