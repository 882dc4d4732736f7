import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.process.systemd import Supervised, notify, watchdog_seconds
from harness.timing import WAIT, scaled


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The end of the socket that systemd listens at."""
    # the name of a socket has 107 characters at most
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("notify")
        listening.settimeout(scaled(WAIT))
        monkeypatch.setenv("NOTIFY_SOCKET", "notify")
        yield listening


@pytest.fixture(autouse=True)
def _no_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


def heard(systemd: socket.socket) -> list[str]:
    return systemd.recv(4_096).decode().split("\n")


def test_a_message_has_a_line_for_each_assignment(systemd: socket.socket) -> None:
    notify("READY=1", "STATUS=at work")
    assert heard(systemd) == ["READY=1", "STATUS=at work"]


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"kidney-genetics-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify("READY=1")
        assert heard(listening) == ["READY=1"]


def test_without_systemd_nothing_is_sent_and_nothing_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    assert caplog.records == []


def test_a_missing_systemd_is_logged_and_the_process_continues(
    systemd: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    systemd.close()
    with caplog.at_level(logging.WARNING):
        notify("READY=1")
    assert "systemd could not be notified of READY=1" in caplog.text


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_counts_only_if_it_is_meant_for_this_process(
    given: dict[str, str], seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert watchdog_seconds() == seconds


async def test_the_event_loop_sends_pings_until_the_process_stops(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    supervised = Supervised(lambda: "2 of 3 runs")
    supervised.ready()
    assert heard(systemd) == ["READY=1", "STATUS=2 of 3 runs"]
    for _ in range(3):
        assert await asyncio.to_thread(heard, systemd) == ["WATCHDOG=1", "STATUS=2 of 3 runs"]
    supervised.stopping()
    assert heard(systemd)[0] == "STOPPING=1"
    await asyncio.sleep(0.2)
    systemd.settimeout(0)
    with pytest.raises(BlockingIOError):
        heard(systemd)


async def test_without_a_watchdog_there_are_no_pings(systemd: socket.socket) -> None:
    Supervised(lambda: "serving").ready()
    assert heard(systemd)[0] == "READY=1"
    assert [task.get_name() for task in asyncio.all_tasks()].count("watchdog") == 0
