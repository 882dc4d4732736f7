import yaml

TAKE = "/api/admin/snapshots"


async def test_a_snapshot_is_created_listed_shown_cited_and_deleted(api) -> None:
    taken = await api.post(TAKE, json={"name": "paper", "by": "Ada", "note": "as submitted"})
    assert taken.status_code == 201
    assert taken.json()["manifest"]["genes"] == 3

    (listed,) = (await api.get("/api/snapshots")).json()
    assert (listed["name"], listed["by"], listed["note"]) == ("paper", "Ada", "as submitted")
    assert (listed["genes"], listed["sources"]) == (3, [])
    assert (await api.get("/api/snapshots/paper")).json() == taken.json()
    cited = await api.get("/api/snapshots/paper/citation")
    assert cited.headers["content-type"] == "text/plain; charset=utf-8"
    assert yaml.safe_load(cited.text)["title"].endswith("snapshot paper")

    kept = await api.delete(f"{TAKE}/paper")
    assert kept.status_code == 422
    assert "force=true" in kept.json()["allowed"]
    assert (await api.delete(f"{TAKE}/paper?force=true")).status_code == 204
    assert (await api.get("/api/snapshots")).json() == []


async def test_a_missing_snapshot_is_reported_with_the_nearest_name(api) -> None:
    await api.post(TAKE, json={"name": "paper", "by": "Ada"})
    for path in ("/api/snapshots/papre", "/api/snapshots/papre/citation"):
        answer = await api.get(path)
        assert answer.status_code == 404
        assert "did you mean paper?" in answer.json()["error"]
    assert (await api.delete(f"{TAKE}/papre?force=true")).status_code == 404


async def test_an_impossible_snapshot_is_refused(api) -> None:
    bad = await api.post(TAKE, json={"name": "2026-03-31", "by": "Ada"})
    assert bad.status_code == 422
    assert "letter first" in bad.json()["allowed"]
    for body in ({"name": "paper"}, {"name": "paper", "by": " "}, {"name": "paper", "by": "\0"}):
        assert (await api.post(TAKE, json=body)).status_code == 422
    assert (await api.post(TAKE, json={"name": "paper", "by": "Ada"})).status_code == 201
    again = await api.post(TAKE, json={"name": "paper", "by": "Ada"})
    assert again.status_code == 409
    assert "cannot be changed" in again.json()["error"]


async def test_taking_and_deleting_need_the_token(api) -> None:
    wrong = {"Authorization": "Bearer wrong-token"}
    body = {"name": "paper", "by": "Ada"}
    assert (await api.post(TAKE, json=body, headers=wrong)).status_code == 401
    assert (await api.delete(f"{TAKE}/paper", headers=wrong)).status_code == 401
