import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from app.annotation.refresh.read_ahead import ReadAhead
from app.annotation.sources.answers import Answer
from app.core.errors import Wait


def answers(count: int) -> list[Answer]:
    return [Answer(n, "found", {"name": "x" * 1_000}) for n in range(count)]


def test_the_answers_come_back_as_they_were_added() -> None:
    with closing(ReadAhead()) as ahead:
        for _ in range(3):
            ahead.add(answers(500), ())
        assert list(ahead.all()) == [answers(500)] * 3


def test_a_full_disk_is_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - `close` closes it
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    with closing(ReadAhead()) as ahead, pytest.raises(Wait) as waits:
        ahead.add(answers(1), ())
    assert waits.value.what == "disk"
