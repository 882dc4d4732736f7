from types import SimpleNamespace

import pytest

from app.web import attempts
from app.web.attempts import MAX_IN_ALL, MAX_PER_CLIENT, WINDOW, Attempts


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(attempts, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_client_waits_after_some_wrong_tokens_and_others_do_not(clock) -> None:
    tried = Attempts()
    for _ in range(MAX_PER_CLIENT):
        assert tried.wait("one") == 0
        tried.failed("one")

    assert tried.wait("one") == WINDOW
    assert tried.wait("another") == 0
    clock[0] += WINDOW - 1
    assert tried.wait("one") == 1
    clock[0] += 1
    assert tried.wait("one") == 0


def test_many_clients_together_wait_as_well(clock) -> None:
    tried = Attempts()
    for number in range(MAX_IN_ALL):
        tried.failed(f"client {number}")

    assert tried.wait("a new client") == WINDOW
    clock[0] += WINDOW
    assert tried.wait("a new client") == 0


def test_a_client_that_has_logged_in_before_is_not_locked_out_by_others(clock) -> None:
    tried = Attempts()
    tried.succeeded("at home here")
    for number in range(MAX_IN_ALL):
        tried.failed(f"client {number}")

    assert tried.wait("at home here") == 0
    for _ in range(MAX_PER_CLIENT):
        tried.failed("at home here")
    assert tried.wait("at home here") == WINDOW
