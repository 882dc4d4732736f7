"""The dead-man ping: who calls, and when nobody does."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from app.core.notify.channels.outbound import new_client
from app.core.notify.ping import Ping
from app.core.runs.attempt import Attempt
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
from harness.receivers import WebhookReceiver
from harness.waiting import eventually
from tests.integration.conftest import Bench

OFTEN = 0.1


async def nothing(attempt: Attempt) -> None:
    """Work that does nothing."""


@pytest.fixture
def service() -> Iterator[WebhookReceiver]:
    """The service that is called."""
    with WebhookReceiver() as receiver:
        yield receiver


@asynccontextmanager
async def pinging(bench: Bench, service: WebhookReceiver) -> AsyncIterator[Ping]:
    dsn = bench.settings.database_url.get_secret_value()
    ping = Ping(dsn, service.url, new_client(allow_private=True), interval=OFTEN)
    ping.start()
    yield ping
    await ping.stop()


@asynccontextmanager
async def living(bench: Bench) -> AsyncIterator[None]:
    """A living worker that claims nothing, as when Redis does not wake it."""
    dispatcher = InProcessDispatcher()
    engine = Engine(bench.settings, kind="api", dispatcher=dispatcher, work=nothing)
    await engine.start()
    yield
    await engine.stop()


async def called(service: WebhookReceiver, times: int) -> None:
    before = service.requests
    await eventually(lambda: service.requests >= before + times)


async def said(caplog: pytest.LogCaptureFixture, what: str) -> None:
    await eventually(lambda: what in caplog.text)


async def test_the_address_is_called_while_a_worker_is_alive(
    bench: Bench, service: WebhookReceiver
) -> None:
    async with bench.worker(nothing), pinging(bench, service):
        await called(service, 3)


async def test_the_address_is_not_called_while_no_worker_is_alive(
    bench: Bench, service: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with pinging(bench, service):
        await said(caplog, "no worker is alive")
        assert service.requests == 0
        async with bench.worker(nothing):
            await called(service, 1)
            await said(caplog, "the ping is sent again")


async def test_the_address_is_not_called_while_a_ready_run_is_not_claimed_by_a_free_worker(
    bench: Bench, service: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.request()
    async with bench.db.begin() as connection:
        await connection.execute(text("UPDATE run_events SET at = at - interval '20 minutes'"))
    async with living(bench), pinging(bench, service):
        await said(caplog, "no worker claims the run")
        assert service.requests == 0


async def test_only_one_of_several_processes_calls_and_another_continues_after_its_end(
    bench: Bench, service: WebhookReceiver
) -> None:
    async with bench.worker(nothing), pinging(bench, service) as first:
        await called(service, 1)
        async with pinging(bench, service) as second:
            await called(service, 5)
            # it has a connection only while it polls whether the lock is free
            await eventually(lambda: second._connection is None)
            await first.stop()
            await called(service, 3)
            assert second._connection is not None


async def test_a_failure_is_logged_once_without_the_address_and_the_calls_go_on(
    bench: Bench, service: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    service.faults.queue("500", "500", "drop")
    async with bench.worker(nothing), pinging(bench, service):
        await called(service, 5)
        await eventually(lambda: len(service.received) >= 2)
    assert caplog.text.count("127.0.0.1 answered 500") == 1
    assert "N0tToBeShownAnywhere" not in caplog.text


async def test_an_address_that_cannot_be_called_is_logged_and_tried_again(
    bench: Bench, service: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    dsn = bench.settings.database_url.get_secret_value()
    http = new_client(allow_private=False)
    ping = Ping(dsn, "https://-\u00e4.example/", http, interval=OFTEN)
    async with bench.worker(nothing):
        ping.start()
        await said(caplog, "the ping is not sent")
        await ping.stop()
    assert "hostname" in caplog.text


async def test_after_a_lost_session_the_calls_go_on(bench: Bench, service: WebhookReceiver) -> None:
    async with bench.worker(nothing), pinging(bench, service):
        await called(service, 1)
        async with bench.db.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'kidney-genetics ping'"
                )
            )
        await called(service, 3)
