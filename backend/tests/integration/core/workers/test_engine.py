import asyncio
import contextlib
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util import await_only

from app.annotation.upstream import UpstreamUnavailable
from app.core.errors import Conflict, NotFound, NotHere, Superseded, UserError, Wait
from app.core.process import cancelling
from app.core.runs import operations, views
from app.core.runs.attempt import Attempt
from app.core.workers import engine as engines
from app.core.workers.dispatcher import InProcessDispatcher
from app.core.workers.engine import Engine
from app.core.workers.executor import Executor
from app.core.workers.liveness import Liveness
from app.core.workers.recovery import wake_ups_due
from app.core.workers.supervisor import Supervisor
from app.core.workers.timing import DEFAULT_TIMING
from app.db import address
from harness.timing import limit
from tests.integration.conftest import QUICK, Bench, commit
from tests.people import ADA


async def nothing(attempt: Attempt) -> None:
    """Work that does nothing."""


async def forever(attempt: Attempt) -> None:
    """Work that makes progress and does not end."""
    await commit(attempt)
    await asyncio.Event().wait()


async def test_a_run_is_executed_and_its_events_are_recorded(bench: Bench) -> None:
    created = await bench.request()
    async with bench.worker(nothing):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.attempts, run.epoch) == ("succeeded", 1, 1)
    assert await bench.events(run.id) == ["created", "claimed", "succeeded"]


async def test_the_same_request_is_one_run_while_it_is_active(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.request(["b", "a"]) for _ in range(20)))
    assert len({a.ref.run_id for a in answers}) == 1
    assert sum(a.created for a in answers) == 1


async def test_an_overlapping_request_is_refused_until_the_run_has_ended(bench: Bench) -> None:
    first = await bench.request(["a"])
    with pytest.raises(Conflict, match=f"run {first.ref.run_id} is active and covers a"):
        await bench.request(["a", "b"])
    with pytest.raises(Conflict):
        await bench.request(["a"], "full")
    async with bench.db.begin() as connection:
        await operations.cancel(connection, first.ref.run_id, actor=ADA)
    second = await bench.request(["a", "b"])
    assert second.created


async def test_the_database_itself_refuses_two_active_runs_of_a_source(bench: Bench) -> None:
    first = await bench.request(["a"])
    with pytest.raises(IntegrityError, match="run_sources_one_active_run_per_source"):
        async with bench.db.begin() as connection:
            await connection.execute(
                text(
                    "WITH r AS (INSERT INTO runs (task, mode) VALUES ('t', 'full') RETURNING id)"
                    " INSERT INTO run_sources (run_id, source, position) SELECT id, 'a', 1 FROM r"
                )
            )
    async with bench.db.begin() as connection:
        await connection.execute(
            text("UPDATE runs SET state = 'failed' WHERE id = :id"), {"id": first.ref.run_id}
        )
    assert (await bench.request(["a"], "full")).created


async def test_a_failing_attempt_is_retried_until_the_run_fails(bench: Bench) -> None:
    async def fails(attempt: Attempt) -> None:
        raise RuntimeError("out of cheese, see postgresql://u:hunter2@db/x")

    created = await bench.request()
    async with bench.worker(fails, run_max_failures=3, run_backoff_base=0.02, run_backoff_cap=0.05):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.attempts) == ("failed", 3)
    assert "out of cheese" in run.error
    assert "hunter2" not in run.error
    events = await bench.events(run.id)
    assert events.count("claimed") == 3
    assert events[2:-1:2] == ["attempt failed"] * 2
    assert events[-1] == "failed"


async def test_an_error_that_postgresql_cannot_store_counts_like_any_other(
    bench: Bench,
) -> None:
    async def fails(attempt: Attempt) -> None:
        raise RuntimeError("a NUL \x00 in it")

    created = await bench.request()
    async with bench.worker(fails, run_max_failures=2, run_backoff_base=0.01):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.attempts) == ("failed", 2)
    assert run.error.startswith("RuntimeError: a NUL ")


async def test_progress_resets_the_count_of_failures(bench: Bench) -> None:
    tries = 0

    async def fails_often(attempt: Attempt) -> None:
        nonlocal tries
        tries += 1
        if tries == 6:
            return
        await commit(attempt)
        raise RuntimeError("again")

    created = await bench.request()
    async with bench.worker(
        fails_often, run_max_failures=2, run_backoff_base=0.01, run_backoff_cap=0.01
    ):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.attempts) == ("succeeded", 6)


async def test_waiting_costs_no_attempt_and_the_reason_is_shown(bench: Bench) -> None:
    tries = 0

    async def waits(attempt: Attempt) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Wait("ensembl", 0.3)

    created = await bench.request()
    async with bench.worker(waits, run_max_failures=1):
        waiting = await bench.until(created.ref.run_id, lambda r: r.waiting_for is not None)
        assert (waiting.state, waiting.waiting_for) == ("queued", "ensembl")
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.attempts, run.waiting_for) == ("succeeded", 1, None)


async def test_no_wait_is_longer_than_the_configured_maximum(bench: Bench) -> None:
    async def waits(attempt: Attempt) -> None:
        raise UpstreamUnavailable("ncbi", 1e12, "asked for it")

    created = await bench.request()
    async with bench.worker(waits, upstream_longest_wait=1_000):
        run = await bench.until(created.ref.run_id, lambda r: r.waiting_for is not None)
    assert timedelta(0) < run.not_before - run.attempt_started_at < timedelta(seconds=1_100)


async def test_a_run_starts_although_its_not_before_is_implausibly_far_ahead(bench: Bench) -> None:
    parked, waiting = await bench.request(["a"]), await bench.request(["b"])
    async with bench.db.begin() as connection:
        await connection.execute(
            text(
                "UPDATE runs SET not_before = CASE id WHEN :id THEN now() + interval '30 h'"
                " ELSE now() + interval '23 h' END"
            ),
            {"id": parked.ref.run_id},
        )
    async with bench.worker(nothing):
        assert (await bench.ended(parked.ref.run_id)).state == "succeeded"
        assert (await bench.run(waiting.ref.run_id)).state == "queued"


async def test_a_wake_up_that_was_sent_in_the_future_is_sent_again(bench: Bench) -> None:
    created = await bench.request()
    sent = text("UPDATE runs SET wake_up_sent_at = now() + CAST(:later AS interval)")
    found = []
    for later in ("0 s", "1 day"):
        async with bench.db.begin() as connection:
            await connection.execute(sent, {"later": later})
        async with bench.db.begin() as connection:
            found.append(await wake_ups_due(connection, DEFAULT_TIMING))
    assert found == [{}, {created.ref: True}]


async def test_a_frozen_worker_whose_heartbeat_is_in_the_future_loses_its_runs(
    bench: Bench,
) -> None:
    created = await bench.request()
    frozen = Liveness(bench.settings.database_url.get_secret_value(), kind="arq", timing=QUICK)
    session = await frozen.connect()
    async with bench.db.begin() as connection:
        await connection.execute(
            text("UPDATE runs SET state = 'running', worker_id = :id"), {"id": frozen.worker_id}
        )
        await connection.execute(text("UPDATE workers SET heartbeat_at = now() + interval '1 day'"))
    async with bench.worker(nothing):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.losses) == ("succeeded", 1)
    await session.close()


async def test_a_cancelled_run_waits_for_nothing(bench: Bench) -> None:
    async def waits(attempt: Attempt) -> None:
        raise Wait("ncbi", 60)

    created = await bench.request()
    async with bench.worker(waits):
        await bench.until(created.ref.run_id, lambda r: r.waiting_for is not None)
        async with bench.db.begin() as connection:
            await operations.cancel(connection, created.ref.run_id, actor=ADA)
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.waiting_for, run.not_before) == ("cancelled", None, None)


async def test_a_failed_run_waits_for_nothing(bench: Bench) -> None:
    async def fails(attempt: Attempt) -> None:
        raise RuntimeError("oh")

    created = await bench.request()
    async with bench.worker(fails, run_max_failures=1):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.not_before) == ("failed", None)


async def test_an_event_records_why_a_run_waits(bench: Bench) -> None:
    async def waits(attempt: Attempt) -> None:
        raise UpstreamUnavailable("ncbi", 60, "answered 503: maintenance, key=hunter2hunter2")

    created = await bench.request()
    async with bench.worker(waits):
        await bench.until(created.ref.run_id, lambda r: r.waiting_for is not None)
    async with bench.db.connect() as connection:
        event = (await views.latest_events(connection, created.ref.run_id, limit=1))[0]
    assert event.event == "waiting"
    assert event.detail["reason"].startswith("answered 503: maintenance")


async def test_a_user_error_is_not_retried(bench: Bench) -> None:
    async def refuses(attempt: Attempt) -> None:
        raise UserError("the key is wrong", remedy="set NCBI_API_KEY")

    created = await bench.request()
    async with bench.worker(refuses):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.attempts) == ("failed", 1)
    assert "NCBI_API_KEY" in run.error


async def test_a_clean_stop_queues_the_run_again_and_costs_no_attempt(bench: Bench) -> None:
    created = await bench.request()
    for stops in range(1, 4):
        async with bench.worker(forever):
            await bench.until(created.ref.run_id, lambda r: r.state == "running")
        run = await bench.run(created.ref.run_id)
        assert (run.state, run.interruptions, run.attempts) == ("queued", stops, 1)
    async with bench.worker(nothing):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.epoch) == ("succeeded", 4)


async def test_a_stop_during_the_claim_interrupts_the_attempt(bench: Bench) -> None:
    created = await bench.request()

    async def job() -> None:
        attempt = await engine.claim(created.ref.run_id, created.ref.epoch)
        assert attempt is not None
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        await engine.execute(attempt)

    async with bench.worker(forever, slots=0) as engine:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.create_task(job()), 5)
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.interruptions, run.attempts) == ("queued", 1, 1)


@pytest.fixture
def _no_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat, recovery or tick, whose commits could be taken for that of a claim."""

    async def nothing(self: Supervisor) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Supervisor, "_run", nothing)


class SlowAnswer:
    """PostgreSQL's reply to each commit of an engine, which the test can delay."""

    def __init__(self, engine: Engine) -> None:
        self.committed = asyncio.Event()
        self.arrives = asyncio.Event()
        event.listen(engine.db.sync_engine, "commit", self._commit)

    def _commit(self, connection: Connection) -> None:
        connection.connection.commit()
        self.committed.set()
        await_only(self.arrives.wait())


@pytest.mark.usefixtures("_no_passes")
async def test_a_stop_before_the_answer_to_a_claim_interrupts_the_attempt(bench: Bench) -> None:
    dispatcher = InProcessDispatcher()
    async with bench.worker(forever, slots=0) as engine:
        slow = SlowAnswer(engine)
        executor = Executor(engine, dispatcher, slots=1, poll_interval=0.1)
        executor.start()
        created = await bench.request()
        await slow.committed.wait()
        stopping = asyncio.create_task(executor.stop())
        await asyncio.sleep(0)
        slow.arrives.set()
        await stopping
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.interruptions, run.losses) == ("queued", 1, 0)


async def test_a_stop_right_after_a_claim_interrupts_the_attempt(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = asyncio.Event()
    dispatcher = InProcessDispatcher()
    async with bench.worker(forever, slots=0) as engine:
        claim = engine.claim

        async def claim_and_say_so(run_id: int, epoch: int) -> Attempt | None:
            attempt = await claim(run_id, epoch)
            # the stop comes before the first step of the task that executes the attempt
            claimed.set()
            return attempt

        async def stop() -> None:
            await claimed.wait()
            await executor.stop()

        monkeypatch.setattr(engine, "claim", claim_and_say_so)
        executor = Executor(engine, dispatcher, slots=1, poll_interval=0.1)
        stopping = asyncio.create_task(stop())
        created = await bench.request()
        executor.start()
        await stopping
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.interruptions, run.losses) == ("queued", 1, 0)
    assert await bench.events(run.id) == ["created", "claimed", "interrupted"]


@pytest.mark.usefixtures("_no_passes")
async def test_a_claim_cancelled_before_its_answer_is_released_when_the_worker_stops(
    bench: Bench,
) -> None:
    created = await bench.request()
    async with bench.worker(forever, slots=0) as engine:
        slow = SlowAnswer(engine)
        claim = asyncio.create_task(engine.claim(created.ref.run_id, created.ref.epoch))
        await slow.committed.wait()
        claim.cancel()
        with pytest.raises(asyncio.CancelledError):
            await claim
        slow.arrives.set()
        assert (await bench.run(created.ref.run_id)).state == "running"
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.attempts, run.losses) == ("queued", 1, 0)
    assert await bench.events(run.id) == ["created", "claimed", "released"]


async def test_cancelling_stops_the_work_and_prevents_further_commits(bench: Bench) -> None:
    stopped = asyncio.Event()
    late: list[BaseException] = []

    async def works(attempt: Attempt) -> None:
        try:
            await forever(attempt)
        except asyncio.CancelledError:
            try:
                await commit(attempt)
            except Superseded as error:
                late.append(error)
            stopped.set()
            raise

    created = await bench.request()
    async with bench.worker(works):
        await bench.until(created.ref.run_id, lambda r: r.progressed_at is not None)
        async with bench.db.begin() as connection:
            await operations.cancel(connection, created.ref.run_id, actor=ADA)
        async with limit():
            await stopped.wait()
    assert len(late) == 1
    assert (await bench.run(created.ref.run_id)).state == "cancelled"


async def test_only_an_existing_active_run_can_be_cancelled(bench: Bench) -> None:
    created = await bench.request()
    async with bench.db.begin() as connection:
        await operations.cancel(connection, created.ref.run_id, actor=ADA)
    with pytest.raises(Conflict, match="was cancelled"):
        async with bench.db.begin() as connection:
            await operations.cancel(connection, created.ref.run_id, actor=ADA)
    with pytest.raises(NotFound):
        async with bench.db.begin() as connection:
            await operations.cancel(connection, 999_999, actor=ADA)


async def test_retry_reopens_a_run_unless_another_covers_its_source(bench: Bench) -> None:
    created = await bench.request(["a"])
    async with bench.db.begin() as connection:
        await operations.cancel(connection, created.ref.run_id, actor=ADA)
    other = await bench.request(["a", "b"])
    with pytest.raises(Conflict, match=f"run {other.ref.run_id}"):
        async with bench.db.begin() as connection:
            await operations.retry(connection, created.ref.run_id, actor=ADA)
    async with bench.worker(nothing):
        await bench.ended(other.ref.run_id)
        async with bench.db.begin() as connection:
            await operations.retry(connection, created.ref.run_id, actor=ADA)
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.epoch) == ("succeeded", 2)


async def test_an_attempt_that_times_out_is_continued_only_after_progress(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.workers.engine.time_limit", lambda task, default: 0.3)

    async def stuck(attempt: Attempt) -> None:
        if attempt.ref.epoch < 3 and attempt.ref.sources == ("a",):
            await commit(attempt)
        await asyncio.Event().wait()

    moving = await bench.request(["a"])
    still = await bench.request(["b"])
    async with bench.worker(stuck):
        run = await bench.ended(moving.ref.run_id)
        other = await bench.ended(still.ref.run_id)
    assert (run.state, run.attempts, run.epoch) == ("failed", 3, 3)
    assert "without progress" in run.error
    assert (other.state, other.attempts) == ("failed", 1)


async def test_a_run_that_times_out_gets_a_wake_up_only_if_it_is_queued_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []

    async def send(dispatcher: InProcessDispatcher, ready, *, unanswered=()) -> bool:
        sent.extend(ready)
        dispatcher.wake.set()
        return True

    async def none_due(*_: Any) -> dict[Any, bool]:
        return {}

    async def stuck(attempt: Attempt) -> None:
        if attempt.ref.epoch == 1:
            await commit(attempt)
        await asyncio.Event().wait()

    monkeypatch.setattr("app.core.workers.engine.time_limit", lambda task, default: 0.3)
    monkeypatch.setattr("app.core.workers.recovery.wake_ups_due", none_due)
    monkeypatch.setattr(InProcessDispatcher, "send", send)
    created = await bench.request()
    async with bench.worker(stuck):
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.epoch) == ("failed", 2)
    assert sent == [replace(created.ref, epoch=2)]


async def die(worker: Engine) -> None:
    """Close a worker's session as the death of its process would."""
    # the heartbeat may be reading from the connection that is closed next
    await cancelling.end(worker._supervisor._passes, within=5)
    connection = worker.liveness._connection
    assert connection is not None
    # the executor must not wait for a descriptor that the next connection reuses
    async with connection.lock:
        await worker.liveness.drop()


async def test_the_run_of_a_dead_worker_is_taken_over_and_the_old_attempt_is_fenced(
    bench: Bench,
) -> None:
    taken, fenced = asyncio.Event(), asyncio.Event()

    async def zombie(attempt: Attempt) -> None:
        await commit(attempt)
        await taken.wait()
        try:
            await commit(attempt)
        except Superseded:
            fenced.set()
            raise

    created = await bench.request()
    async with bench.worker(zombie) as first:
        await bench.until(created.ref.run_id, lambda r: r.progressed_at is not None)
        await die(first)
        async with bench.worker(nothing):
            run = await bench.ended(created.ref.run_id)
        taken.set()
        async with limit():
            await fenced.wait()
    assert (run.state, run.losses, run.attempts, run.epoch) == ("succeeded", 1, 1, 2)
    assert "lost" in await bench.events(run.id)


async def test_a_run_that_kills_its_worker_each_time_fails(bench: Bench) -> None:
    async def hangs(_: Attempt) -> None:
        await asyncio.Event().wait()

    created = await bench.request()
    for epoch in range(1, 4):
        async with bench.worker(hangs) as doomed:
            await bench.until(created.ref.run_id, lambda r: r.state == "running")
            await die(doomed)
            async with bench.worker(nothing, slots=0):
                run = await bench.until(
                    created.ref.run_id, lambda r, epoch=epoch: r.epoch == epoch + 1
                )
    assert (run.state, run.error) == ("failed", "worker lost 3 times")


async def lose(bench: Bench, doomed: Engine, run_id: int) -> Any:
    """Let a worker die, and another worker recover its run."""
    epoch = (await bench.run(run_id)).epoch
    await die(doomed)
    async with bench.worker(nothing, slots=0):
        return await bench.until(run_id, lambda r: r.epoch == epoch + 1)


async def hang(_: Attempt) -> None:
    await asyncio.Event().wait()


async def test_a_loss_beside_other_runs_does_not_count_against_a_run(bench: Bench) -> None:
    runs_there = [(await bench.request([name])).ref.run_id for name in "ab"]
    for _ in range(2):
        async with bench.worker(hang) as doomed:
            for run_id in runs_there:
                await bench.until(run_id, lambda r: r.state == "running")
            await lose(bench, doomed, runs_there[0])
    for _ in range(2):
        async with bench.worker(hang) as doomed:
            await bench.until(runs_there[0], lambda r: r.state == "running")
            run = await lose(bench, doomed, runs_there[0])
    assert (run.state, run.losses) == ("queued", 4)
    async with bench.worker(nothing):
        assert (await bench.ended(runs_there[0])).state == "succeeded"
        assert (await bench.ended(runs_there[1])).state == "succeeded"


async def test_the_loss_of_a_worker_that_has_just_started_does_not_count_against_its_run(
    bench: Bench,
) -> None:
    created = await bench.request()
    new = replace(QUICK, begin=3_600.0)
    for _ in range(2):
        async with bench.worker(hang, timing=new) as doomed:
            await bench.until(created.ref.run_id, lambda r: r.state == "running")
            await die(doomed)
            async with bench.worker(nothing, slots=0, timing=new):
                await bench.until(created.ref.run_id, lambda r: r.state == "queued")
    # a run that must run alone waits for a worker that has been up for long enough
    async with bench.worker(nothing, slots=0, timing=new) as engine:
        suspect = await bench.run(created.ref.run_id)
        with pytest.raises(NotHere, match="this worker is new"):
            await engine.claim(suspect.id, suspect.epoch)
    for _ in range(2):
        async with bench.worker(hang) as doomed:
            await bench.until(created.ref.run_id, lambda r: r.state == "running")
            run = await lose(bench, doomed, created.ref.run_id)
    assert (run.state, run.losses) == ("queued", 4)
    async with bench.worker(hang) as doomed:
        await bench.until(created.ref.run_id, lambda r: r.state == "running")
        run = await lose(bench, doomed, created.ref.run_id)
    assert (run.state, run.error) == ("failed", "worker lost 3 times")


async def test_progress_resets_the_count_of_losses(bench: Bench) -> None:
    created = await bench.request()
    for work in (hang, hang, forever, hang):
        async with bench.worker(work) as doomed:
            begun = (await bench.run(created.ref.run_id)).progressed_at
            await bench.until(
                created.ref.run_id,
                lambda r, work=work, begun=begun: (
                    r.state == "running" and (work is hang or r.progressed_at != begun)
                ),
            )
            run = await lose(bench, doomed, created.ref.run_id)
    assert (run.state, run.losses) == ("queued", 4)


async def test_a_run_that_was_lost_twice_runs_alone(bench: Bench) -> None:
    release = {"a": asyncio.Event(), "b": asyncio.Event(), "c": asyncio.Event()}

    async def works(attempt: Attempt) -> None:
        assert attempt.ref.sources is not None
        await release[attempt.ref.sources[0]].wait()

    before, suspect, after = [(await bench.request([name])).ref.run_id for name in "bac"]
    async with bench.db.begin() as connection:
        await connection.execute(
            text("UPDATE runs SET losses_in_a_row = 2 WHERE id = :id"), {"id": suspect}
        )
    async with bench.worker(works) as engine:
        await bench.until(before, lambda r: r.state == "running")
        with pytest.raises(NotHere, match="alone"):
            await engine.claim(suspect, 1)
        release["b"].set()
        await bench.until(suspect, lambda r: r.state == "running")
        with pytest.raises(NotHere):
            await engine.claim(after, 1)
        release["a"].set()
        release["c"].set()
        ended = [await bench.ended(run_id) for run_id in (before, suspect, after)]
    assert [run.state for run in ended] == ["succeeded"] * 3
    assert ended[0].finished_at <= ended[1].started_at
    assert ended[1].finished_at <= ended[2].started_at


async def end_session(connection: AsyncConnection, engine: Engine) -> None:
    """End the session by which a worker is alive."""
    await connection.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = :session"
        ),
        {"session": engine.liveness.session},
    )


async def test_a_worker_that_lost_its_session_keeps_its_runs(bench: Bench) -> None:
    done = asyncio.Event()

    async def works(attempt: Attempt) -> None:
        await commit(attempt)
        await done.wait()
        await commit(attempt)

    created = await bench.request()
    async with bench.worker(works) as engine:
        run = await bench.until(created.ref.run_id, lambda r: r.progressed_at is not None)
        async with bench.db.begin() as connection:
            await end_session(connection, engine)
        await bench.until(created.ref.run_id, lambda r: r.worker_id != run.worker_id)
        done.set()
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.losses, run.epoch) == ("succeeded", 0, 1)


async def test_a_worker_keeps_its_runs_when_its_first_attempt_to_reconnect_is_cut_short(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ANSWER_TIMEOUT", 1.0)
    created = await bench.request()
    async with bench.worker(forever) as engine:
        run = await bench.until(created.ref.run_id, lambda r: r.state == "running")
        async with bench.db.begin() as connection:
            # the new ids can be registered, and the move of the ticks has to wait
            await connection.execute(text("LOCK TABLE schedule_ticks IN EXCLUSIVE MODE"))
            await end_session(connection, engine)
            async with limit():
                while await registered(bench) < 3:
                    await asyncio.sleep(0.02)
        run = await bench.until(created.ref.run_id, lambda r: r.worker_id not in {run.worker_id, 2})
        await bench.until(created.ref.run_id, lambda r: r.worker_id == engine.liveness.worker_id)
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.losses, run.interruptions) == ("queued", 0, 1)


async def registered(bench: Bench) -> int:
    """Return how many ids workers have taken."""
    async with bench.db.connect() as connection:
        found: int = (await connection.execute(text("SELECT max(id) FROM workers"))).scalar_one()
    return found


async def test_a_worker_that_lost_its_session_skips_a_silent_host(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ANSWER_TIMEOUT", 2.0)
    given = address.parse(bench.settings.database_url.get_secret_value())
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        given |= {
            "host": f"127.0.0.1,{given['host']}",
            "port": f"{silent.getsockname()[1]},{given['port']}",
            "connect_timeout": "2",
        }
        url = SecretStr(make_conninfo("", **given))
        async with bench.worker(nothing, database_url=url) as engine:
            first = engine.liveness.worker_id
            async with bench.db.begin() as connection:
                await end_session(connection, engine)
            async with limit():
                while not engine.liveness.alive or engine.liveness.worker_id == first:
                    await asyncio.sleep(0.02)


async def test_one_process_at_a_time_executes_runs_and_another_takes_over(bench: Bench) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(bench.worker(forever))
        created = await bench.request(["a"])
        run = await bench.until(created.ref.run_id, lambda r: r.state == "running")
        async with bench.worker(nothing):
            other = await bench.request(["b"])
            run_b = await bench.until(other.ref.run_id, lambda r: r.state == "running")
            assert run_b.worker_id == run.worker_id == first.liveness.worker_id
            await stack.aclose()
            assert (await bench.ended(created.ref.run_id)).interruptions == 1
            assert (await bench.ended(other.ref.run_id)).interruptions == 1


async def test_the_api_leaves_runs_to_arq_workers_while_one_is_alive(bench: Bench) -> None:
    worker = Liveness(bench.settings.database_url.get_secret_value(), kind="arq", timing=QUICK)
    await worker.connect()
    async with bench.worker(nothing) as engine:
        assert not await engine.liveness.may_execute()
        created = await bench.request()
        await worker.stop()
        assert (await bench.ended(created.ref.run_id)).state == "succeeded"


async def waiting_for_a_lock(connection: AsyncConnection, worker: Engine) -> Sequence[int]:
    """Wait until sessions of a worker wait for locks, and return their numbers."""
    async with limit():
        while True:
            # a transaction keeps its first snapshot of pg_stat_activity
            await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
            found = await connection.execute(
                text(
                    "SELECT pid FROM pg_stat_activity"
                    " WHERE application_name = :session AND wait_event_type = 'Lock'"
                ),
                {"session": worker.liveness.session},
            )
            if pids := found.scalars().all():
                return pids
            await asyncio.sleep(0.02)


async def test_an_attempt_that_is_cancelled_while_its_end_is_recorded_has_ended_afterwards(
    bench: Bench,
) -> None:
    created = await bench.request()
    engine = Engine(
        bench.settings, kind="arq", dispatcher=InProcessDispatcher(), work=nothing, timing=QUICK
    )
    await engine.start()
    attempt = await engine.claim(created.ref.run_id, created.ref.epoch)
    assert attempt is not None
    async with bench.db.begin() as connection:
        # the row is locked, so the record of the attempt's end waits
        await connection.execute(
            text("SELECT FROM runs WHERE id = :id FOR UPDATE"), {"id": created.ref.run_id}
        )
        executing = asyncio.create_task(engine.execute(attempt))
        await waiting_for_a_lock(connection, engine)
        for _ in range(2):  # arq cancels its jobs once more than a stop does
            executing.cancel()
            await asyncio.sleep(0)
    await asyncio.wait({executing})
    assert executing.cancelled()
    assert engine.busy == 0
    run = await bench.run(created.ref.run_id)
    assert (run.state, run.interruptions) == ("succeeded", 0)
    await engine.stop()


async def test_a_session_lost_while_an_attempt_ends_does_not_count_as_a_lost_worker(
    bench: Bench,
) -> None:
    """The outcome cannot be recorded, and the run still moves to the worker's next id."""
    ending = asyncio.Event()

    async def works(attempt: Attempt) -> None:
        if attempt.ref.epoch == 1:
            await ending.wait()
            raise OperationalError("commit", {}, Exception("server closed the connection"))

    created = await bench.request()
    async with bench.worker(works) as engine:
        run = await bench.until(created.ref.run_id, lambda r: r.state == "running")
        async with bench.db.begin() as connection:
            # the row is locked, so the record of the attempt's end waits until its session ends
            await connection.execute(
                text("SELECT FROM runs WHERE id = :id FOR UPDATE"), {"id": run.id}
            )
            ending.set()
            for pid in await waiting_for_a_lock(connection, engine):
                await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        run = await bench.ended(created.ref.run_id)
    assert (run.state, run.losses, run.attempts) == ("succeeded", 0, 1)
    assert "released" in await bench.events(run.id)
