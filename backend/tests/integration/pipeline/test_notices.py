"""Notifications about sources and their data."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.annotation.notices.notifier import new_notifier
from app.annotation.settings import Settings
from app.doctor.recipes import recipe
from tests.integration.conftest import Query
from tests.integration.pipeline.conftest import GENES, Annotator
from tests.office import Mailbox, Office, quickly

FORMER = "UPDATE origins SET marker = 'a former one', release = 'former'"
"""Pretend that the stored answers are from the previous release."""


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    quickly(monkeypatch)
    return Mailbox()


@pytest.fixture
def office(annotator: Annotator, query: Query, mailbox: Mailbox) -> Office:
    return Office(annotator.bench, query)


@asynccontextmanager
async def telling(settings: Settings, mailbox: Mailbox) -> AsyncIterator[None]:
    """Let the notifier run that the composition roots start."""
    notifier = new_notifier(settings, [mailbox], recipe)
    notifier.start()
    try:
        yield
    finally:
        await notifier.stop()


async def wait_for_ensembl(annotator: Annotator, *ago: str) -> int:
    """Let a run wait for Ensembl, which did not answer at these past times."""
    run_id = (await annotator.request("ensembl")).ref.run_id
    await annotator.change(f"""
        UPDATE runs SET waiting_for = 'ensembl', not_before = now() + interval '1 hour'
        WHERE id = {run_id}""")
    for each in ago:
        await annotator.change(f"""
            INSERT INTO run_events (run_id, epoch, event, at, detail)
            VALUES ({run_id}, 1, 'waiting', now() - interval '{each}',
              '{{"waiting_for": "ensembl", "reason": "answered 503"}}')""")
    return run_id


async def test_a_notification_describes_a_new_release_with_its_changes(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    await annotator.run("clinvar")
    await annotator.change(FORMER)
    lowered = await annotator.rows(
        "SELECT gene_id FROM annotations WHERE source = 'clinvar'"
        " AND CAST(data -> 'germline' ->> 'pathogenic' AS int) > 0 ORDER BY gene_id LIMIT 3"
    )
    ids = ",".join(str(row["gene_id"]) for row in lowered)
    await annotator.change(
        "UPDATE annotations SET data = jsonb_set(data, '{germline,pathogenic}', '0')"
        f" WHERE source = 'clinvar' AND gene_id IN ({ids})"
    )
    await annotator.change(
        "UPDATE annotations SET data = jsonb_set(data, '{germline,benign}', '1000')"
        " WHERE source = 'clinvar' AND gene_id = (SELECT max(id) FROM genes)"
    )
    # a change of a moving field does not count
    await annotator.change(
        """UPDATE annotations SET data = jsonb_set(data, '{last_evaluated}', '"2001-01-01"')"""
        " WHERE source = 'clinvar' AND gene_id = (SELECT max(id) - 1 FROM genes)"
    )
    run = await annotator.run("clinvar")
    async with telling(settings, mailbox):
        (message,) = await mailbox.until(1)

    (event,) = await annotator.rows("SELECT detail FROM run_events WHERE event = 'release arrived'")
    release = event["detail"]["release"]
    assert (message.kind, message.severity) == ("release arrived", "info")
    assert message.title == (
        f"ClinVar {release}: 4 of {GENES} genes changed, 3 gained a pathogenic variant"
    )
    assert f"just changes --run {run.id} --source clinvar" in message.text
    assert message.detail == {
        "run": run.id, "source": "clinvar", "release": release, "genes": GENES, "changed": 4,
        "first_answers": 0, "gained": {"gained a pathogenic variant": 3},
    }  # fmt: skip


async def arrivals(annotator: Annotator) -> list[str]:
    rows = await annotator.rows(
        "SELECT detail ->> 'source' AS source FROM run_events WHERE event = 'release arrived'"
    )
    return [row["source"] for row in rows]


async def test_the_first_answers_and_those_of_a_new_parser_are_no_new_release(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    await annotator.run("hgnc", mode="full")
    await annotator.change("UPDATE origins SET parser = 'a former one'")
    await annotator.run("hgnc")
    assert await arrivals(annotator) == []

    await annotator.change(FORMER)
    await annotator.run("hgnc")
    await annotator.run("hgnc", mode="full")
    assert await arrivals(annotator) == ["hgnc"]


async def test_a_release_has_arrived_when_all_genes_have_its_answers(
    annotator: Annotator,
) -> None:
    await annotator.run("hgnc")
    await annotator.change(FORMER)
    gene = annotator.sandbox.catalogue.genes[0].hgnc_id
    await annotator.run("hgnc", mode="full", genes=[gene])
    assert await arrivals(annotator) == []
    await annotator.run("hgnc")
    assert await arrivals(annotator) == ["hgnc"]


async def test_a_release_without_its_former_answers_is_reported_without_numbers(
    annotator: Annotator, mailbox: Mailbox, settings: Settings
) -> None:
    await annotator.run("hgnc")
    await annotator.change(FORMER)
    await annotator.run("hgnc")
    await annotator.change("INSERT INTO history_horizon VALUES ('hgnc', now())")
    async with telling(settings, mailbox):
        (message,) = await mailbox.until(1)
    assert message.title.endswith(": it arrived")
    assert "changed" not in message.detail


async def test_stale_data_are_reported_unless_a_run_refreshes_them(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    await annotator.run("hgnc", "ensembl")
    await annotator.change("UPDATE annotations SET checked_at = now() - interval '2 years'")
    await annotator.change("UPDATE workers SET stopped_at = NULL, heartbeat_at = now()")
    created = await annotator.request("ensembl")
    async with telling(settings, mailbox):
        await mailbox.until(1)
        async with annotator.working():
            await annotator.bench.ended(created.ref.run_id)
            await annotator.bench.ended((await annotator.request("hgnc")).ref.run_id)
            await mailbox.until(2)

    stale, recovered = mailbox.got
    assert (stale.kind, stale.detail["source"]) == ("data stale", "hgnc")
    assert "just annotate hgnc" in stale.text
    assert recovered.kind == "recovered"


async def test_genes_that_were_never_asked_about_are_not_stale(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    async with telling(settings, mailbox):
        await office.fail()
        await mailbox.until(1)
        await office.succeed()
        await mailbox.until(2)
    assert [each.kind for each in mailbox.got] == ["run failed", "recovered"]


async def test_a_service_that_runs_wait_for_too_long_is_reported_until_its_sources_succeed(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    run_id = await wait_for_ensembl(annotator, "7 hours", "1 hour")
    async with telling(settings, mailbox):
        (down,) = await mailbox.until(1)
        await annotator.change(f"UPDATE runs SET not_before = NULL WHERE id = {run_id}")
        async with annotator.working():
            await annotator.bench.ended(run_id)
            await mailbox.until(2)

    assert (down.kind, down.detail["sources"]) == ("source down", ["ensembl"])
    assert "answered 503" in down.text
    assert "7 h" in down.text
    assert mailbox.got[1].title == f"Recovered: {down.title}"
    assert len(office.query("SELECT id FROM incidents")) == 1


async def test_a_service_that_is_down_is_reported_once_despite_retries(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    run_id = await wait_for_ensembl(annotator, "7 hours")
    async with telling(settings, mailbox):
        await mailbox.until(1)
        for state, waits in (("running", "NULL"), ("queued", "'ensembl'")):
            await annotator.change(
                f"UPDATE runs SET state = '{state}', waiting_for = {waits} WHERE id = {run_id}"
            )
            await office.looked()
        await office.fail(("hgnc",))
        await mailbox.until(2)

    assert [each.kind for each in mailbox.got] == ["source down", "run failed"]


async def test_an_outage_begins_after_the_last_answer_of_the_service(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    run_id = await wait_for_ensembl(annotator, "7 hours", "1 hour")
    await annotator.change(f"""
        INSERT INTO annotations (gene_id, source, state, checked_state, checked_at, checked_run_id)
        SELECT min(id), 'ensembl', 'absent', 'absent', now() - interval '2 hours', {run_id}
        FROM genes""")
    async with telling(settings, mailbox):
        await office.fail(("hgnc",))
        await mailbox.until(1)
        await office.succeed(("hgnc",))
        await mailbox.until(2)
    assert [each.kind for each in mailbox.got] == ["run failed", "recovered"]


async def test_an_event_that_cannot_be_described_does_not_block_the_others(
    annotator: Annotator, office: Office, mailbox: Mailbox, settings: Settings
) -> None:
    run_id = await office.fail(("hgnc",))
    await annotator.change(f"""
        INSERT INTO run_events (run_id, epoch, event, detail) VALUES
        ({run_id}, 1, 'release arrived', '{{"source": "hgnc", "release": "x", "since": "?"}}')""")
    async with telling(settings, mailbox):
        await mailbox.until(1)
        await office.until(
            "SELECT 1 WHERE NOT EXISTS (SELECT FROM run_events"
            " WHERE NOT noticed AND event = 'release arrived')"
        )
    assert [each.kind for each in mailbox.got] == ["run failed"]
