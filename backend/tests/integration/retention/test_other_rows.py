"""Which ticks, notifications and workers are removed when they are old."""

from functools import partial

import pytest

from app.core.retention import notifications, ticks, workers
from tests.integration.conftest import Bench, Query
from tests.integration.retention.made import add_run, all_parts, left, remove_runs

SCHEDULE = """
INSERT INTO schedules (name, kind, every, next_at, by, queued_tick)
VALUES (%s, 'release', 60, '2100-01-01', 'ada', now() - make_interval(days => %s))
"""

TICK = """
INSERT INTO schedule_ticks (schedule_id, tick, outcome, run_id)
VALUES (%s, now() - make_interval(days => %s), %s, %s)
"""

WORKER = """
INSERT INTO workers (kind, host, pid, session, version, heartbeat_at)
VALUES ('arq', 'here', 1, 's', '1', now() - make_interval(days => %s)) RETURNING id
"""

NOTIFICATION = """
INSERT INTO notifications (kind, severity, at, title, text, created_at, planned_at, incident_id)
SELECT 'run failed', 'warning', t, 't', 't', t, CASE WHEN %s = 'planned' THEN t END, %s
FROM (SELECT now() - make_interval(days => %s) AS t) given RETURNING id
"""

INCIDENT = """
INSERT INTO incidents (kind, subject, title, closed_at)
VALUES ('run failed', %s, 't', now() - make_interval(days => %s)) RETURNING id
"""

DELIVERY = """
INSERT INTO notification_deliveries (notification_id, channel, state, due_at, digest_id)
VALUES (%s, 'webhook', %s, now(), %s)
"""


async def test_old_ticks_go_and_the_last_one_of_each_schedule_stays(
    bench: Bench, query: Query
) -> None:
    query(SCHEDULE, "often", None)
    query(SCHEDULE, "paused", None)
    for days in (900, 500, 20, 10):
        query(TICK, 1, days, "done", None)
    for days in (900, 800):
        query(TICK, 2, days, "missed", None)
    await all_parts(bench.db, partial(ticks.remove, days=400))
    age = "SELECT schedule_id AS s, round(extract(epoch FROM now() - tick) / 86400)::int AS days"
    found = query(f"{age} FROM schedule_ticks ORDER BY 1, 2")
    assert [tuple(row.values()) for row in found] == [(1, 10), (1, 20), (2, 800)]


async def test_a_queued_tick_stays(bench: Bench, query: Query) -> None:
    query(SCHEDULE, "queues", 900)
    for days, outcome in ((900, "queued"), (800, "skipped"), (700, "skipped")):
        query(TICK, 1, days, outcome, None)
    await all_parts(bench.db, partial(ticks.remove, days=400))
    found = query("SELECT outcome FROM schedule_ticks ORDER BY tick")
    assert [row["outcome"] for row in found] == ["queued", "skipped"]


async def test_the_last_tick_that_was_not_skipped_stays(bench: Bench, query: Query) -> None:
    query(SCHEDULE, "fails", None)
    for days, outcome in ((900, "done"), (800, "failed"), (700, "skipped"), (10, "skipped")):
        query(TICK, 1, days, outcome, None)
    await all_parts(bench.db, partial(ticks.remove, days=400))
    found = query("SELECT outcome FROM schedule_ticks ORDER BY tick")
    assert [row["outcome"] for row in found] == ["failed", "skipped"]


@pytest.mark.parametrize("outcome", ["waiting", "running"])
async def test_a_tick_whose_work_has_not_ended_stays(
    bench: Bench, query: Query, outcome: str
) -> None:
    query(SCHEDULE, "monthly", None)
    for days, each in ((900, outcome), (10, "done")):
        query(TICK, 1, days, each, None)
    await all_parts(bench.db, partial(ticks.remove, days=400))
    found = query("SELECT outcome FROM schedule_ticks ORDER BY tick")
    assert [row["outcome"] for row in found] == [outcome, "done"]


async def test_a_run_goes_when_the_last_tick_that_names_it_has_gone(
    bench: Bench, query: Query
) -> None:
    query(SCHEDULE, "often", None)
    ran, last = add_run(query, 500), add_run(query, 10)
    query(TICK, 1, 500, "ran", ran)
    query(TICK, 1, 10, "ran", last)
    await remove_runs(bench.db)
    assert left(query) == [ran, last]
    await all_parts(bench.db, partial(ticks.remove, days=400))
    await remove_runs(bench.db)
    assert left(query) == [last]


async def test_a_dead_worker_goes_unless_a_run_an_event_or_a_tick_names_it(
    bench: Bench, query: Query
) -> None:
    nobody, of_a_run, of_an_event, of_a_tick, recent = (
        query(WORKER, days)[0]["id"] for days in (40, 40, 40, 40, 20)
    )
    query(SCHEDULE, "backs up", None)
    query(TICK, 1, 10, "done", None)
    query("UPDATE schedule_ticks SET worker_id = %s", of_a_tick)
    run = add_run(query, 10)
    query("UPDATE runs SET worker_id = %s", of_a_run)
    query(
        "INSERT INTO run_events (run_id, epoch, event, detail)"
        " VALUES (%s, 1, 'lost', jsonb_build_object('worker', %s::int))",
        run,
        of_an_event,
    )
    await all_parts(bench.db, partial(workers.remove, days=30))
    found = [row["id"] for row in query("SELECT id FROM workers ORDER BY id")]
    assert found == [of_a_run, of_an_event, of_a_tick, recent]
    assert nobody not in found


async def test_a_frozen_worker_that_holds_its_lock_stays(bench: Bench, query: Query) -> None:
    frozen = query(WORKER, 40)[0]["id"]
    async with bench.db.connect() as connection:
        lock = f"SELECT pg_advisory_lock('workers'::regclass::oid::int, {frozen})"
        await connection.exec_driver_sql(lock)
        await all_parts(bench.db, partial(workers.remove, days=30))
        assert query("SELECT id FROM workers") == [{"id": frozen}]
        await connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
    await all_parts(bench.db, partial(workers.remove, days=30))
    assert query("SELECT id FROM workers") == []


async def remove_notifications(bench: Bench, query: Query) -> tuple[list[int], list[int]]:
    await all_parts(bench.db, partial(notifications.remove, days=400))
    told = [row["id"] for row in query("SELECT id FROM notifications ORDER BY id")]
    return told, [row["id"] for row in query("SELECT id FROM incidents ORDER BY id")]


async def test_an_old_notification_goes_with_its_deliveries(bench: Bench, query: Query) -> None:
    old, recent = (query(NOTIFICATION, "planned", None, days)[0]["id"] for days in (500, 300))
    for each in (old, recent):
        query(DELIVERY, each, "delivered", None)
    assert await remove_notifications(bench, query) == ([recent], [])
    assert [row["notification_id"] for row in query("SELECT * FROM notification_deliveries")] == [
        recent
    ]


@pytest.mark.parametrize("state", ["pending", "waiting"])
async def test_what_is_still_to_be_delivered_stays(bench: Bench, query: Query, state: str) -> None:
    unplanned = query(NOTIFICATION, "new", None, 500)[0]["id"]
    undelivered = query(NOTIFICATION, "planned", None, 500)[0]["id"]
    query(DELIVERY, undelivered, state, None)
    assert await remove_notifications(bench, query) == ([unplanned, undelivered], [])


async def test_an_open_incident_stays_with_its_notifications_and_a_closed_one_goes(
    bench: Bench, query: Query
) -> None:
    still_open = query(INCIDENT, "open", None)[0]["id"]
    closed, recent = (query(INCIDENT, f"{d}", d)[0]["id"] for d in (500, 300))
    told = query(NOTIFICATION, "planned", still_open, 900)[0]["id"]
    query(NOTIFICATION, "planned", closed, 500)
    assert await remove_notifications(bench, query) == ([told], [still_open, recent])


async def test_a_digest_goes_after_what_it_contains(bench: Bench, query: Query) -> None:
    digest = query(NOTIFICATION, "planned", None, 410)[0]["id"]
    contained = query(NOTIFICATION, "planned", None, 390)[0]["id"]
    query(DELIVERY, contained, "in digest", digest)
    assert await remove_notifications(bench, query) == ([digest, contained], [])
    async with bench.db.connect() as connection:
        assert await notifications.count(connection, 400, limit=10) == 0
    query("UPDATE notifications SET created_at = created_at - interval '20 days'")
    assert await remove_notifications(bench, query) == ([], [])
