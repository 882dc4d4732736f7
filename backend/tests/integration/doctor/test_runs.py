import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.annotation.data import checks
from app.annotation.notices import staleness
from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.core.checks import Status
from tests.integration.doctor.ward import (
    change,
    equip,
    follow,
    following,
    query,
    upstreams,
)
from tests.patient import Patient

ENABLED = Settings(_env_file=None).enabled_sources  # type: ignore[call-arg]
CHECKS = (
    "runs.stuck", "runs.failing", "runs.held", "runs.stale-sources", "runs.unknown-terms",
    "runs.history",
)  # fmt: skip


@pytest.fixture
def patient(patient: Patient, tmp_path: Path) -> Iterator[Patient]:
    with upstreams(patient, tmp_path):
        yield equip(patient)


@pytest.fixture
def genes(patient: Patient) -> None:
    query(
        patient,
        "INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id) VALUES"
        " ('HGNC:9008', 'PKD1', 'ENSG00000008710', '5310')",
    )


def run(patient: Patient, state: str, source: str = "hgnc", **columns: Any) -> int:
    """Put a run of one source into the database."""
    names = ["task", "mode", "sources", "state", *columns]
    values = ["run_pipeline_task", "smart", [source], state, *columns.values()]
    made: int = query(
        patient,
        f"INSERT INTO runs ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
        " RETURNING id",
        *values,
    )[0]["id"]
    query(
        patient,
        "INSERT INTO run_sources (run_id, source, position, active, state, finished_at)"
        " SELECT %s, %s, 1, %s, %s, finished_at FROM runs WHERE id = %s",
        made,
        source,
        state in {"queued", "running"},
        state,
        made,
    )
    return made


def worker(patient: Patient, age: str = "1 minute") -> int:
    """Insert a worker that has died."""
    made: int = query(
        patient,
        "INSERT INTO workers (kind, host, pid, session, version, heartbeat_at)"
        " VALUES ('arq', 'here', 1, 'gone', '0', now() - %s::interval) RETURNING id",
        age,
    )[0]["id"]
    return made


async def test_without_runs_and_genes_all_checks_pass(patient: Patient) -> None:
    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


async def test_a_run_that_stands_still_is_started_anew(patient: Patient) -> None:
    run_id = run(patient, "running", worker_id=worker(patient))
    query(
        patient,
        "UPDATE runs SET attempt_started_at = now() - interval '50 minutes',"
        " progressed_at = now() - interval '40 minutes'",
    )
    query(patient, "UPDATE run_sources SET started_at = now() - interval '50 minutes'")

    broken = await patient.see("runs.stuck")

    assert broken.status is Status.warning
    assert broken.finding.summary == f"run {run_id} (hgnc) has committed nothing for 40 min"
    follow(patient, broken)
    assert query(patient, "SELECT state, epoch FROM runs") == [{"state": "queued", "epoch": 2}]
    assert (await patient.see("runs.stuck")).status is Status.ok


async def test_a_run_that_fails_again_and_again_is_shown(patient: Patient) -> None:
    run_id = run(patient, "queued", failures_in_a_row=3, error="BadAnswer: no such page")

    broken = await patient.see("runs.failing")

    assert broken.status is Status.warning
    assert "failed 3 times" in broken.finding.summary
    assert broken.finding.found == "BadAnswer: no such page"
    assert broken.remedy == f"just show {run_id}"
    assert "no such page" in patient.shell(broken.remedy)
    query(patient, "UPDATE runs SET failures_in_a_row = 0")
    assert (await patient.see("runs.failing")).status is Status.ok


async def test_a_request_that_failed_last_is_tried_again_by_the_printed_command(
    patient: Patient,
) -> None:
    run(patient, "failed", error="an older one")
    run(patient, "succeeded", "ensembl")
    run_id = run(patient, "failed", error="Wait: no")

    broken = await patient.see("runs.failing")

    assert broken.status is Status.failed
    assert broken.remedy == f"just retry {run_id}"
    assert broken.finding.found == "Wait: no"
    follow(patient, broken)
    assert (await patient.see("runs.failing")).status is Status.ok


async def test_a_failure_that_was_made_good_is_forgotten(patient: Patient) -> None:
    run(patient, "failed", error="once")
    run(patient, "succeeded")

    assert (await patient.see("runs.failing")).status is Status.ok


async def test_a_success_for_some_genes_does_not_hide_a_failure_for_all(patient: Patient) -> None:
    failed = run(patient, "failed", error="the whole list")
    run(patient, "succeeded", genes=["HGNC:9008"])

    assert (await patient.see("runs.failing")).remedy == f"just retry {failed}"

    run(patient, "succeeded")
    assert (await patient.see("runs.failing")).status is Status.ok


async def test_a_success_for_all_genes_replaces_a_failure_for_some(patient: Patient) -> None:
    some = run(patient, "failed", genes=["HGNC:9008"], error="one gene")
    run(patient, "succeeded", genes=["HGNC:9009"])

    assert (await patient.see("runs.failing")).remedy == f"just retry {some}"

    run(patient, "succeeded")
    assert (await patient.see("runs.failing")).status is Status.ok


async def test_held_answers_of_a_run_are_shown_with_a_command(patient: Patient) -> None:
    run_id = run(patient, "failed", error="hgnc is held: it lost half")
    held = '{"reason": "it lost half", "genes": 1, "examples": ["PKD1"], "files": []}'
    query(patient, "UPDATE run_sources SET state = 'held', held = %s", held)

    broken = await patient.see("runs.held")

    assert broken.status is Status.warning
    assert broken.finding.found == f"hgnc, run {run_id}: it lost half"
    assert broken.remedy == f"just show {run_id}"
    assert f"just accept {run_id} hgnc" in patient.shell(broken.remedy)
    assert (await patient.see("runs.failing")).status is Status.ok
    run(patient, "succeeded")
    assert (await patient.see("runs.held")).status is Status.ok


async def test_old_and_missing_answers_are_refreshed_by_the_printed_command(
    patient: Patient, genes: None
) -> None:
    ages = dict.fromkeys(ENABLED, "1 hour") | {"hgnc": "31 days", "ensembl": "31 days"}
    del ages["clinvar"]
    for source, age in ages.items():
        query(
            patient,
            "INSERT INTO annotations"
            " (gene_id, source, state, checked_state, data, fetched_at, checked_at)"
            " SELECT id, %s, 'found', 'found', '{}', now() - %s::interval, now() - %s::interval"
            " FROM genes",
            source,
            age,
            age,
        )

    broken = await patient.see("runs.stale-sources")

    assert broken.status is Status.warning
    assert broken.finding.found == (
        "clinvar: 0% of the genes old, 100% missing, hgnc: 100% of the genes old, 0% missing"
    )
    assert broken.remedy == "just annotate clinvar hgnc"
    follow(patient, broken)
    refreshing = await patient.see("runs.stale-sources")
    assert refreshing.status is Status.ok
    assert "run 1 is refreshing hgnc" in refreshing.finding.summary
    with following(patient, await patient.see("worker.alive")):
        patient.shell("just annotate clinvar hgnc --wait")
    done = await patient.see("runs.stale-sources")
    assert done.finding.summary == f"{', '.join(ENABLED)} are fresh"


async def test_words_of_clinvar_that_are_not_known_are_shown(patient: Patient) -> None:
    noted = run(patient, "succeeded", "clinvar", finished_at="now")
    query(
        patient,
        "INSERT INTO run_events (run_id, epoch, event, detail) VALUES (%s, 1, 'unknown terms', %s)",
        noted,
        json.dumps({"source": "clinvar", "terms": {"VUS-extreme": 12, "VUS-high": 7}}),
    )

    broken = await patient.see("runs.unknown-terms")

    assert broken.status is Status.warning
    # VUS-high has become known since
    assert broken.finding.found == f"'VUS-extreme' (12, run {noted})"
    assert patient.shell(broken.finding.remedy)

    query(patient, "UPDATE run_events SET at = now() - interval '31 days'")
    assert (await patient.see("runs.unknown-terms")).status is Status.ok


@pytest.mark.usefixtures("genes")
async def test_the_size_of_the_history_is_shown_with_the_removable_part(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    query(
        patient,
        "INSERT INTO annotation_history (gene_id, source, state, valid_from, valid_to, origin_ids,"
        " origin_since) SELECT 1, 'hgnc', 'absent', now() - (n + 1) * interval '1 day',"
        " now() - n * interval '1 day', '{}', '{}' FROM generate_series(1, 9) n",
    )
    kept = await patient.see("runs.history")
    assert kept.status is Status.ok
    assert kept.finding.summary.startswith("9 former answers, ")
    change(patient, history_days=5)
    limited = await patient.see("runs.history")
    assert "; 5 are to be removed, after 5 days" in limited.finding.summary
    del patient.env["HISTORY_DAYS"]
    change(patient)
    monkeypatch.setattr(checks, "LARGE_HISTORY", 1)
    large = await patient.see("runs.history")
    assert large.status is Status.warning
    assert "HISTORY_DAYS" in large.finding.required


async def test_20_000_genes_are_read_through_indexes_only(patient: Patient) -> None:
    query(
        patient,
        "INSERT INTO genes (hgnc_id, symbol) SELECT 'HGNC:' || i, 'G' || i"
        " FROM generate_series(1, 20000) i",
    )
    query(
        patient,
        "INSERT INTO annotations (gene_id, source, state, checked_state, data, fetched_at)"
        " SELECT g.id, s, 'found', 'found', jsonb_build_object('text', repeat('x', 1000)), now()"
        " FROM genes g, unnest(%s::text[]) s",
        list(SOURCES),
    )
    query(patient, "DELETE FROM genes WHERE id %% 3 = 0")
    for source, count in (("hgnc", 300), ("clinvar", 300)):
        query(
            patient,
            "INSERT INTO runs (task, sources, mode, state, started_at, finished_at)"
            " SELECT 'run_pipeline_task', ARRAY[%s], 'smart', 'succeeded', now(), now()"
            " FROM generate_series(1, %s)",
            source,
            count,
        )
    query(
        patient,
        "INSERT INTO run_sources (run_id, source, position, active, state, finished_at)"
        " SELECT id, sources[1], 1, false, 'succeeded', now() FROM runs",
    )
    plan = query(
        patient,
        # psycopg's placeholders have another form than SQLAlchemy's
        "EXPLAIN (FORMAT json) "
        + staleness.STALE.replace(":sample", str(staleness.SAMPLE_GENES))
        .replace(":sources", "'{hgnc,ensembl,clinvar}'")
        .replace(":freshness", "'{1,1,1}'"),
    )
    scanned = [node["Relation Name"] for node in _nodes(plan) if node["Node Type"] == "Seq Scan"]
    assert not {"genes", "annotations"} & set(scanned), json.dumps(plan)

    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok)


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        if "Node Type" in plan:
            yield plan
        for value in plan.values():
            yield from _nodes(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from _nodes(value)
