"""Gene lists through the API."""

from typing import Any

LISTS, ADMIN = "/api/lists", "/api/admin/lists"


async def put(api: Any, *names: str, name: str = "kidney", **more: Any) -> Any:
    body = {"genes": [*names], "by": "Ada", **more}
    return await api.put(f"{ADMIN}/{name}", json=body)


async def test_a_list_is_added_shown_replaced_and_removed(api: Any) -> None:
    added = await put(api, "pkd1", "NOPE", "7273", note="cysts")
    assert added.status_code == 201
    assert [added.json()[key] for key in ("created", "genes", "added")] == [True, 2, 2]
    (problem,) = added.json()["problems"]
    assert (problem["line"], problem["found"], problem["kind"]) == (2, "NOPE", "unknown")

    shown = (await api.get(f"{LISTS}/kidney")).json()
    assert [each["symbol"] for each in shown["members"]] == ["PKD1", "TTN"]
    assert (shown["note"], shown["by"], shown["in_database"]) == ("cysts", "Ada", 2)
    (summary,) = (await api.get(LISTS)).json()
    assert summary == {key: value for key, value in shown.items() if key != "members"}

    again = await put(api, "TTN", "PKD1")
    assert (again.status_code, again.json()["changed"]) == (200, False)
    assert (await api.delete(f"{ADMIN}/kidney")).status_code == 204
    assert (await api.delete(f"{ADMIN}/kidney")).status_code == 404
    assert (await api.get(f"{LISTS}/kidney")).status_code == 404
    assert (await api.get(LISTS)).json() == []


async def test_an_invalid_schedule_is_refused(api: Any) -> None:
    for answer, found in (
        (await put(api, "NOPE"), "none of the 1 rows names a single gene"),
        (await put(api), "genes"),
        (await put(api, "PKD1", name="Kidney"), "cannot be the name of a list"),
        (await put(api, "PKD1", by=" "), "by"),
        (await put(api, "PKD1", owner="Ada"), "unknown field 'owner'"),
        (await put(api, "PKD1", note="a\0b"), "note"),
        (await put(api, *["PKD1"] * 20_001), "20000 items"),
    ):
        assert answer.status_code == 422, answer.text
        assert found in answer.json()["error"], answer.text
    assert (await api.get(LISTS)).json() == []


async def test_only_the_administrator_changes_lists(api: Any) -> None:
    await put(api, "PKD1")
    api.headers.pop("Authorization")
    assert (await put(api, "TTN")).status_code == 401
    assert (await api.delete(f"{ADMIN}/kidney")).status_code == 401
    assert (await api.get(f"{LISTS}/kidney")).json()["genes"] == 1


async def test_a_run_is_limited_to_a_list(api: Any) -> None:
    await put(api, "TTN", "PKD1")
    request = {"sources": ["clinvar"], "list": "kidney"}
    run = (await api.post("/api/admin/runs", json=request)).json()
    named = {"sources": ["clinvar"], "genes": ["PKD1", "TTN"]}
    same = (await api.post("/api/admin/runs", json=named)).json()
    assert (same["id"], same["created"]) == (run["id"], False)
    for wrong, found in (
        ({"list": "kidny"}, "did you mean kidney?"),
        ({"list": "kidney", "genes": ["PKD1"]}, "both genes and list"),
    ):
        answer = await api.post("/api/admin/runs", json=wrong)
        assert answer.status_code == 422
        assert found in answer.json()["error"]
