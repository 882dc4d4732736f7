import json
from datetime import UTC, datetime, timedelta

import httpx
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.upstream.answers import excerpt, failure
from app.annotation.upstream.dates import EARLIEST, past_date
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.retry import TryAgain
from app.core.errors import UserError

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


DATES = st.builds(
    "Mon, {} {} {} {}:00:00 {}".format,
    st.integers(0, 40),
    st.sampled_from(["Jan", "Feb", "Foo"]),
    st.integers(0, 100_000),
    st.integers(0, 30),
    st.sampled_from(["GMT", "", "-0000", "+2359", "-9999", "+99999999999999999999"]),
)


@given(st.text() | DATES)
def test_any_date_is_read_as_a_past_date_or_none(value):
    moment = past_date(value, NOW)
    assert moment is None or EARLIEST <= moment <= NOW + timedelta(days=1)


@given(st.binary())
def test_an_excerpt_is_one_short_line_of_any_body(body):
    shown = excerpt(body)
    assert shown
    assert len(shown) <= 201
    assert shown.isprintable()


def recorded(shared_data):
    lines = (shared_data / "eutils-errors" / "quoted_a.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_recorded_errors_of_ncbi_and_ensembl_are_distinguished(shared_data):
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
