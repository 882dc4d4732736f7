PATH = "/api/admin/sources/hgnc/rollback"


async def test_a_source_is_rolled_back(api, query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, data, checked_state)"
        " VALUES (1, 'hgnc', 'found', '{}', 'found')"
    )
    asked = {"to": "2026-01-01", "by": "Ada", "note": "wrong", "dry_run": True}
    dry = await api.post(PATH, json=asked)
    assert (dry.status_code, dry.json()["genes"], dry.json()["id"]) == (200, 1, None)
    done = (await api.post(PATH, json=asked | {"dry_run": False})).json()
    assert (done["id"], done["unknown"]) == (1, 1)
    assert done["examples"][0]["symbol"] == "PKD1"
    assert query("SELECT state FROM annotations") == [{"state": "unknown"}]


async def test_an_impossible_rollback_is_refused(api) -> None:
    asked = {"to": "2026-01-01", "by": "Ada"}
    assert (await api.post(PATH.replace("hgnc", "hgcn"), json=asked)).status_code == 404
    for wrong in ({"to": "nosuch"}, {"to": "yesterday"}, {"by": ""}, {"form": "x"}):
        assert (await api.post(PATH, json=asked | wrong)).status_code == 422
    assert (await api.post("/api/admin/runs", json={"sources": ["hgnc"]})).status_code == 202
    covered = await api.post(PATH, json=asked)
    assert covered.status_code == 409
    assert "POST /api/admin/runs/1/cancel" in covered.json()["remedy"]
