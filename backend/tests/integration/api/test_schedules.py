"""Schedules over HTTP. Nobody is alive to do their ticks here."""

from typing import Any

import pytest

SCHEDULES = "/api/admin/schedules"
WEEKLY: dict[str, Any] = {
    "name": "weekly", "kind": "cron", "cron": "0  3 * * 0", "zone": "Europe/Berlin",
    "sources": ["hgnc"], "by": "Ada",
}  # fmt: skip


async def test_a_schedule_is_added_shown_and_removed(api) -> None:
    answer = await api.post(SCHEDULES, json=WEEKLY)
    assert answer.status_code == 201, answer.text
    added = answer.json()
    assert (added["cron"], added["zone"], added["overlap"], added["catch_up"]) == (
        "0 3 * * 0", "Europe/Berlin", "skip", 86_400,
    )  # fmt: skip
    assert len(added["next"]) == 5
    assert (await api.get(SCHEDULES)).json() == [added]
    assert (await api.get(f"{SCHEDULES}/weekly")).json() == added
    assert (await api.post(SCHEDULES, json=WEEKLY)).status_code == 409

    assert (await api.delete(f"{SCHEDULES}/weekly")).status_code == 204
    for answer in (await api.get(f"{SCHEDULES}/weekly"), await api.delete(f"{SCHEDULES}/weekly")):
        assert answer.status_code == 404


async def test_a_schedule_is_paused_and_resumed(api) -> None:
    await api.post(SCHEDULES, json=WEEKLY)
    paused = (await api.post(f"{SCHEDULES}/weekly/pause")).json()
    assert (paused["paused_at"] is not None, paused["next"]) == (True, [])
    assert (await api.post(f"{SCHEDULES}/weekly/pause")).status_code == 409
    resumed = (await api.post(f"{SCHEDULES}/weekly/resume")).json()
    assert (resumed["paused_at"], len(resumed["next"])) == (None, 5)


async def test_a_tick_is_done_at_once_and_noted(api) -> None:
    await api.post(SCHEDULES, json=WEEKLY)
    answer = await api.post(f"{SCHEDULES}/weekly/run")
    assert answer.status_code == 202
    run_id = answer.json()["run_id"]
    assert (await api.get(f"/api/admin/runs/{run_id}")).json()["sources"] == ["hgnc"]
    assert (await api.post(f"{SCHEDULES}/weekly/run")).json() == {"run_id": None}

    page = (await api.get(f"{SCHEDULES}/weekly/ticks", params={"limit": 1})).json()
    (skipped,) = page["ticks"]
    assert (skipped["outcome"], skipped["run_id"]) == ("skipped", run_id)
    before = {"before": page["next_before"]}
    (ran,) = (await api.get(f"{SCHEDULES}/weekly/ticks", params=before)).json()["ticks"]
    assert (ran["outcome"], ran["run_id"]) == ("ran", run_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"cron": "0 3 * *"},
        {"cron": None},
        {"zone": "Berlin"},
        {"every": 60},
        {"sources": ["hgn"]},
        {"sources": []},
        {"mode": "quick"},
        {"kind": "now"},
        {"by": ""},
        {"by": None},
        {"catch_up": -1},
        {"overlap": "both"},
        {"name": "A B"},
        {"other": 1},
        {"kind": "release", "cron": None, "every": 0},
    ],
)
async def test_a_malformed_schedule_is_refused(api, changes) -> None:
    answer = await api.post(SCHEDULES, json=WEEKLY | changes)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]
    assert (await api.get(SCHEDULES)).json() == []


async def test_an_action_of_a_schedule_is_added_and_waits_for_a_worker(api, tmp_path) -> None:
    monthly = {
        "name": "monthly", "kind": "cron", "cron": "0 1 1 * *", "by": "Ada",
        "action": "snapshot", "options": {"prefix": "monthly", "note": "for papers"},
    }  # fmt: skip
    added = await api.post(SCHEDULES, json=monthly)
    assert added.status_code == 201, added.text
    assert added.json()["options"] == {"prefix": "monthly", "note": "for papers"}
    assert (await api.post(f"{SCHEDULES}/monthly/run")).json() == {"run_id": None}
    last = (await api.get(f"{SCHEDULES}/monthly")).json()["last"]
    assert (last["outcome"], last["failures"], last["result"]) == ("waiting", 0, None)

    export = {**monthly, "name": "export", "action": "export"}
    answer = await api.post(
        SCHEDULES, json={**export, "options": {"folder": str(tmp_path), "format": "parquet"}}
    )
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "dance"},
        {"options": {}},
        {"options": {"prefix": "Monthly"}},
        {"options": {"prefix": 3}},
        {"sources": ["hgnc"]},
        {"action": "refresh"},
        {"action": "export", "options": {"folder": "relative"}},
        {"action": "export", "options": {"folder": "/", "fields": "hgnc"}},
    ],
)
async def test_an_impossible_schedule_is_refused(api, changes) -> None:
    snapshot = {
        "name": "monthly", "kind": "cron", "cron": "0 1 1 * *", "by": "Ada",
        "action": "snapshot", "options": {"prefix": "monthly"},
    }  # fmt: skip
    answer = await api.post(SCHEDULES, json=snapshot | changes)
    assert answer.status_code == 422, answer.text
    assert (await api.get(SCHEDULES)).json() == []
