from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.http_headers import retry_after

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
        ("Mon, 23 Nov 2026 12:00:30 +9999999999", None),
        ("1000000000000", 600),
        ("1e300", 600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 600),
    ],
)
def test_retry_after_is_read_as_seconds_fraction_or_date(value, seconds):
    assert retry_after(value, 600, NOW) == seconds


DATES = st.builds(
    "Mon, {} {} {} {}:00:00 {}".format,
    st.integers(0, 40),
    st.sampled_from(["Jan", "Feb", "Foo"]),
    st.integers(0, 100_000),
    st.integers(0, 30),
    st.sampled_from(["GMT", "", "-0000", "+2359", "-9999", "+99999999999999999999"]),
)


@given(st.text() | st.floats().map(str) | st.integers().map(str) | DATES)
def test_any_retry_after_is_a_bounded_number_of_seconds_or_nothing(value):
    seconds = retry_after(value, 14_400)
    assert seconds is None or 0 <= seconds <= 14_400
