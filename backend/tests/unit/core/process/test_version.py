import pytest

from app.core.process import version as versions
from app.core.process.version import compare, version


def test_the_version_has_a_number_and_a_digest() -> None:
    number, _, digest = version().partition("+")
    assert number
    assert len(digest) == 8


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ("1.10.0+aaaaaaaa", "same"),
        ("1.10.0+bbbbbbbb", "other"),
        ("1.9.3+aaaaaaaa", "older"),
        ("1.10.1+aaaaaaaa", "newer"),
        ("2+aaaaaaaa", "newer"),
        ("", "other"),
        ("unknown", "other"),
    ],
)
def test_code_is_compared_by_its_number(monkeypatch, other, found) -> None:
    monkeypatch.setattr(versions, "version", lambda: "1.10.0+aaaaaaaa")

    assert compare(other) == found
