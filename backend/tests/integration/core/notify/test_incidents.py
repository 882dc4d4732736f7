"""What people are told, and that they are told once."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.notify.message import Kind
from app.core.notify.notice import Notice
from app.core.notify.run_events import RunEvent
from tests.integration.core.notify.conftest import raise_no_luck
from tests.office import Mailbox, Office


async def test_a_failed_run_is_reported_with_its_remedy(office: Office) -> None:
    async with office.open() as mailbox, office.bench.worker(raise_no_luck, run_max_failures=1):
        run_id = (await office.bench.request()).ref.run_id
        (message,) = await mailbox.until(1)

    assert (message.kind, message.severity) == ("run failed", "warning")
    assert message.title == f"Run {run_id} (a) failed"
    assert "RuntimeError: no luck" in message.text
    assert f"just retry {run_id}" in message.text
    assert message.detail["run"] == run_id


async def test_a_request_that_fails_again_is_not_logged_again(office: Office) -> None:
    async with office.open() as mailbox:
        first = await office.fail()
        await mailbox.until(1)
        await office.fail()
        await office.fail(("b",))
        await mailbox.until(2)

    assert [message.detail["sources"] for message in mailbox.got] == [["a"], ["b"]]
    (incident,) = office.query(
        "SELECT run_id, times, closed_at FROM incidents WHERE title LIKE %s", f"Run {first} %"
    )
    assert (incident["run_id"], incident["times"], incident["closed_at"]) == (first + 1, 2, None)


async def test_a_recovery_is_reported_once_and_a_later_failure_is_reported_again(
    office: Office,
) -> None:
    async with office.open() as mailbox:
        await office.fail()
        await mailbox.until(1)
        await office.succeed()
        await mailbox.until(2)
        await office.fail()
        await mailbox.until(3)

    assert [each.kind for each in mailbox.got] == ["run failed", "recovered", "run failed"]
    assert mailbox.got[1].title == f"Recovered: {mailbox.got[0].title}"


async def test_a_run_of_all_its_sources_ends_an_incident_and_a_run_of_some_genes_does_not(
    office: Office,
) -> None:
    async with office.open() as mailbox:
        await office.fail(("a", "b"))
        await mailbox.until(1)
        await office.succeed(("a",))
        some_genes = await office.succeed(("b",))
        office.query("UPDATE runs SET genes = '{HGNC:1}' WHERE id = %s", some_genes)
    assert office.query("SELECT closed_at FROM incidents") == [{"closed_at": None}]
    async with office.open() as again:
        await office.succeed(("b", "c"))
        await again.until(1)
    assert again.got[0].kind == "recovered"


async def test_another_run_of_the_same_genes_ends_an_incident(office: Office) -> None:
    failed = await office.fail()
    office.query("UPDATE runs SET genes = '{HGNC:1,HGNC:2}' WHERE id = %s", failed)
    async with office.open() as mailbox:
        await mailbox.until(1)
    for genes, recovers in (("{HGNC:1}", False), ("{HGNC:1,HGNC:2,HGNC:3}", True)):
        run_id = await office.succeed()
        office.query("UPDATE runs SET genes = %s WHERE id = %s", genes, run_id)
        async with office.open() as again:
            await office.looked()
            assert (office.query("SELECT closed_at FROM incidents") != [{"closed_at": None}]) is (
                recovers
            )
            if recovers:
                await again.until(1)


async def test_an_event_whose_description_takes_long_delays_no_other(
    office: Office, monkeypatch
) -> None:
    described = asyncio.Event()

    async def describe(db: AsyncEngine, event: RunEvent) -> Notice:
        await described.wait()
        return Notice(kind=Kind.RELEASE_ARRIVED, at=event.at, title="It arrived", text="")

    run_id = await office.fail()
    office.query(
        "INSERT INTO run_events (run_id, epoch, event) VALUES (%s, 1, 'release arrived')", run_id
    )
    # for the notifier only: a busy machine may pause the transaction of the request for longer
    monkeypatch.setenv("PGOPTIONS", "-c idle_in_transaction_session_timeout=100ms")
    async with office.open(describe={"release arrived": describe}) as mailbox:
        await mailbox.until(1)
        await office.until(
            "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
            " AND application_name = 'kidney-genetics notifications'"
            " AND state_change < clock_timestamp() - interval '200 ms'"
        )
        described.set()
        await mailbox.until(2)
    assert [each.kind for each in mailbox.got] == ["run failed", "release arrived"]


async def test_the_incident_of_a_cancelled_run_ends_without_a_notification(office: Office) -> None:
    async with office.open() as mailbox:
        run_id = await office.fail()
        await mailbox.until(1)
        office.query("UPDATE runs SET state = 'cancelled' WHERE id = %s", run_id)
        await office.until("SELECT id FROM incidents WHERE closed_at IS NOT NULL")
        await office.fail()
        await mailbox.until(2)

    assert [each.kind for each in mailbox.got] == ["run failed", "run failed"]


async def test_a_held_source_is_reported_and_not_the_run_that_failed_only_for_it(
    office: Office,
) -> None:
    run_id = (await office.bench.request(("clinvar",))).ref.run_id
    office.query("UPDATE run_sources SET state = 'held' WHERE run_id = %s", run_id)
    for event in ("held", "failed"):
        office.query(
            "INSERT INTO run_events (run_id, epoch, event, detail)"
            """ VALUES (%s, 1, %s, '{"source": "clinvar", "reason": "it lost half"}')""",
            run_id,
            event,
        )
    async with office.open() as mailbox:
        await mailbox.until(1)
        await office.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM run_events"
            " WHERE NOT noticed AND event IN ('held', 'failed'))"
        )

    (message,) = mailbox.got
    assert message.title == "clinvar is held: its new answers look wrong"
    assert "it lost half" in message.text
    assert f"just accept {run_id} clinvar" in message.text


async def test_failures_from_before_a_channel_was_configured_are_not_delivered(
    office: Office,
) -> None:
    await office.fail()
    office.query("UPDATE run_events SET at = now() - interval '2 hours'")
    await office.fail(("b",))
    async with office.open() as mailbox:
        await mailbox.until(1)
        await office.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM run_events"
            " WHERE NOT noticed AND event = 'failed')"
        )

    assert [message.detail["sources"] for message in mailbox.got] == [["b"]]


async def test_failures_during_days_without_a_sender_are_delivered_later(
    office: Office,
) -> None:
    async with office.open():
        await office.until("SELECT 1 FROM incident_looks")
    for ago in ("6 days", "8 days"):
        await office.fail((ago[0],))
        office.query(
            "UPDATE run_events SET at = now() - CAST(%s AS interval) WHERE NOT noticed"
            " AND at > now() - interval '1 day'",
            ago,
        )
    async with office.open() as mailbox:
        await mailbox.until(1)
        await office.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM run_events"
            " WHERE NOT noticed AND event = 'failed')"
        )

    assert [message.detail["sources"] for message in mailbox.got] == [["6"]]


async def test_text_from_outside_is_plain_text_without_secrets(office: Office) -> None:
    async with office.open() as mailbox:
        await office.fail(("a\n<b>",), "api_key=abcdefgh\r\n\x1b[31m<script>\u202eevil")
        (message,) = await mailbox.until(1)

    assert message.title == "Run 1 (a <b>) failed"
    assert "abcdefgh" not in message.text + str(message.detail)
    assert not {"\r", "\x1b", "\u202e"} & {*message.text}


async def test_the_lack_of_a_worker_is_reported_and_so_is_the_first_worker(office: Office) -> None:
    async with office.bench.worker(raise_no_luck):
        pass
    office.query(
        "UPDATE workers SET heartbeat_at = now() - interval '6 minutes',"
        " started_at = now() - interval '1 day'"
    )
    async with office.open() as mailbox:
        await mailbox.until(1)
        async with office.bench.worker(raise_no_luck):
            await mailbox.until(2)

    assert [(each.kind, each.severity) for each in mailbox.got] == [
        ("nobody executes runs", "critical"),
        ("recovered", "info"),
    ]


async def test_a_run_that_an_idle_worker_does_not_claim_is_reported(office: Office) -> None:
    async with office.bench.worker(raise_no_luck, slots=0), office.open() as mailbox:
        await office.bench.request()
        office.query("UPDATE run_events SET at = now() - interval '20 minutes'")
        (message,) = await mailbox.until(1)

    assert message.kind == "nobody executes runs"
    assert "Run 1 has been ready for 20 min" in message.text


async def test_an_installation_without_workers_and_runs_has_no_incident(
    office: Office,
) -> None:
    async with office.open() as mailbox:
        await office.until("SELECT 1 FROM incident_looks")
        await office.fail()
        await mailbox.until(1)
    assert [each.kind for each in mailbox.got] == ["run failed"]


async def test_states_are_polled_even_after_the_clock_was_set_back(
    office: Office,
) -> None:
    async with office.open(Mailbox()), office.open(Mailbox()):
        (first,) = await office.until("SELECT looked_at FROM incident_looks")
        await office.until("SELECT 1 FROM incident_looks WHERE looked_at > %s", first["looked_at"])
        office.query("UPDATE incident_looks SET looked_at = now() + interval '1 day'")
        # PostgreSQL's clock was ahead, and was set back
        await office.until("SELECT 1 FROM incident_looks WHERE looked_at < now()")


async def test_a_run_that_fails_after_its_last_source_has_not_recovered_by_that(
    office: Office,
) -> None:
    run_id = await office.fail()
    office.query(
        "UPDATE run_sources SET state = 'succeeded', finished_at = now() - interval '1 minute'"
    )
    async with office.open() as mailbox:
        await mailbox.until(1)
        (first,) = await office.until("SELECT looked_at FROM incident_looks")
        await office.until("SELECT 1 FROM incident_looks WHERE looked_at > %s", first["looked_at"])
        assert office.query("SELECT id FROM incidents WHERE closed_at IS NULL")
        await office.succeed()
        await mailbox.until(2)
    assert [each.kind for each in mailbox.got] == ["run failed", "recovered"]
    assert mailbox.got[0].detail["run"] == run_id
