"""`/api/admin/doctor`: the checks run in the API, as they do in the command."""

from pydantic import SecretStr

DOCTOR = "/api/admin/doctor"


async def test_checks_run_and_their_results_are_kept(api) -> None:
    before = (await api.get(DOCTOR)).json()
    found = (await api.post(DOCTOR, json={"only": ["database.reachable"]})).json()
    kept = (await api.get(DOCTOR, params={"only": "database"})).json()

    assert (before["running"], before["ok"], before["checks"]) == (False, None, [])
    assert found["ok"] is True
    assert found["counts"]["ok"] == 1
    assert [each["id"] for each in found["checks"]] == ["database.reachable"]
    assert kept["checks"] == found["checks"]


async def test_a_problem_of_a_needed_check_is_reported(serve, arq_settings) -> None:
    nowhere = arq_settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    async with serve(nowhere) as api:
        found = (await api.post(DOCTOR, json={"only": ["redis.primary"]})).json()

    states = {each["id"]: each["status"] for each in found["checks"]}
    assert states == {"redis.reachable": "failed", "redis.primary": "skipped"}
    assert found["ok"] is False


async def test_a_repair_cannot_be_requested(api) -> None:
    assert (await api.post(DOCTOR, json={"fix": True})).status_code == 422


async def test_a_name_that_is_no_check_is_refused(api) -> None:
    for answer in (
        await api.get(DOCTOR, params={"only": "databse"}),
        await api.post(DOCTOR, json={"only": ["databse"]}),
    ):
        assert answer.status_code == 422
        assert "did you mean database" in answer.json()["error"]
