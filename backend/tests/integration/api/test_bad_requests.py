"""What is no request gets a clear answer, in one shape, and shows nothing it should not."""

import json
import sys

import httpx
import pytest

from app.api.body_limit import MAX_BODY

RUNS = "/api/admin/runs"
SHAPE = {"error", "allowed", "remedy"}


async def post(
    api: httpx.AsyncClient, body: bytes, kind: str = "application/json"
) -> httpx.Response:
    return await api.post(RUNS, content=body, headers={"Content-Type": kind})


async def test_a_body_that_is_no_json(api) -> None:
    for body in [b"{", b"sources=clinvar", b"\xff\xfe", b"[" * 60_000]:
        answer = await post(api, body)
        assert answer.status_code == 400
        assert set(answer.json()) == SHAPE
        assert "the body" in answer.json()["error"]
        assert "clinvar" in answer.json()["allowed"]


async def test_a_body_of_the_wrong_shape(api, query) -> None:
    for body in [
        [],
        None,
        "clinvar",
        {"sources": "clinvar"},
        {"sources": [1]},
        {"sources": []},
        {"sources": [["clinvar"]]},
        {"sources": ["\0"]},
        {"sources": ["\ud800"]},
        {"sources": ["clinvar"] * 101},
        {"mode": 1},
        {"mode": None},
        {"mode": "quick"},
        {"mode": "\ud800"},
        {"resume": "yes"},
        {"source": ["clinvar"]},
        {"\ud800": 1},
    ]:
        answer = await post(api, json.dumps(body).encode())
        assert answer.status_code == 422, answer.text
        assert set(answer.json()) == SHAPE
        assert query("SELECT * FROM runs") == []


async def test_an_unknown_field_is_named(api) -> None:
    answer = await post(api, b'{"source": ["clinvar"]}')
    assert answer.json()["error"] == "unknown field 'source', did you mean sources?"
    assert answer.json()["allowed"] == "sources, mode, genes, resume, list"


async def test_an_unknown_mode_is_refused_with_the_known_ones(api) -> None:
    answer = await post(api, b'{"mode": "quick"}')
    assert answer.json()["allowed"] == "smart or full"


async def test_json_is_json_whatever_it_is_declared_as(api) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", ""):
        answer = await post(api, b'{"sources": ["hgnc"]}', kind)
        assert answer.status_code == 202
        await api.post(f"{RUNS}/{answer.json()['id']}/cancel")


# Python 3.14 reads JSON that is nested as deeply as the longest body can be
TOO_DEEP = "nested too deeply" if sys.version_info < (3, 14) else "the body is not JSON"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"[" * 60_000, TOO_DEEP),
        (b'{"mode": "\xff"}', "not UTF-8"),
        (b'{"sources": [' + b"1" * 60_000 + b"]}", "a number with too many digits"),
    ],
)
async def test_an_unreadable_body_is_refused_with_the_reason(api, body, why) -> None:
    assert why in (await post(api, body)).json()["error"]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (f"{RUNS}?status=failed", "limit, before, state, source, error, since, until, actor"),
        (f"{RUNS}?limt=3", "limit, before, state, source, error, since, until, actor"),
        (f"{RUNS}/1?verbose", "none here"),
        ("/api/resolve?symbol=PKD1", "name"),
    ],
)
async def test_an_unknown_query_parameter_is_not_passed_over(api, address, allowed) -> None:
    answer = await api.get(address)
    assert answer.status_code == 422
    assert answer.json()["allowed"] == allowed
    assert "unknown query parameter" in answer.json()["error"]


async def test_a_number_in_an_address_is_written_in_digits(api, query) -> None:
    query(
        "INSERT INTO runs (id, task, mode, state) OVERRIDING SYSTEM VALUE"
        " VALUES (10, 't', 'smart', 'failed')"
    )
    assert (await api.get(f"{RUNS}/10")).status_code == 200
    for number in ("1_0", "+10", "10.0", "%2010", "010", "1e1", "\uff11\uff10", "", "-0"):
        addresses = [
            f"{RUNS}?limit={number}",
            f"{RUNS}?before={number}",
            f"{RUNS}/10/events?limit={number}",
            f"{RUNS}/10/events?after={number}",
            f"/api/genes?limit={number}",
            f"/api/genes?after={number}",
        ]
        if number:
            addresses += [f"{RUNS}/{number}", f"{RUNS}/{number}/events"]
            for verb in ("cancel", "retry"):
                assert (await api.post(f"{RUNS}/{number}/{verb}")).status_code == 422
        for address in addresses:
            answer = await api.get(address)
            assert answer.status_code == 422, address
            assert "in digits only" in answer.json()["error"]
    assert query("SELECT state FROM runs") == [{"state": "failed"}]


async def test_a_number_of_any_length_has_an_answer(api) -> None:
    for number in (2**63, 10**18, "9" * 5_000):
        assert (await api.get(f"{RUNS}/{number}")).status_code in {404, 422}
        assert (await api.get("/api/genes", params={"after": number})).status_code in {200, 422}


async def test_a_repeated_query_parameter_is_refused(api) -> None:
    for address in ("/api/genes?limit=1&limit=2", f"{RUNS}?before=5&limit=1&before=7"):
        answer = await api.get(address)
        assert answer.status_code == 422
        assert "is repeated" in answer.json()["error"]


async def test_body_fields_are_not_accepted_in_the_address(api, query) -> None:
    assert (await api.post(f"{RUNS}?mode=full", json={})).status_code == 422
    assert query("SELECT * FROM runs") == []


async def test_no_body_at_all_starts_nothing(api, query) -> None:
    assert (await api.post(RUNS)).status_code == 422
    assert query("SELECT * FROM runs") == []


async def test_a_sent_notification_is_not_repeated(api) -> None:
    secret = "hunter2-hunter2"
    for body in ({"sources": {"password": secret}}, {"mode": [secret]}, [secret], {"mode": {}}):
        answer = await post(api, json.dumps(body).encode())
        assert secret not in answer.text


async def test_a_body_as_large_as_allowed_is_read(api) -> None:
    assert (await post(api, b"{}".ljust(MAX_BODY))).status_code == 202


async def test_an_unknown_address_and_a_wrong_method(api) -> None:
    for answer, status in (
        (await api.get("/api/admin/nothing"), 404),
        (await api.get("/nothing"), 404),
        (await api.delete(RUNS), 405),
    ):
        assert answer.status_code == status
        assert set(answer.json()) == SHAPE
    assert "/api/genes/{name}" in (await api.get("/nothing")).json()["allowed"]
    assert (await api.delete(RUNS)).json()["allowed"] == "POST, GET, HEAD"
    assert (await api.delete(RUNS)).headers["Allow"] == "POST, GET, HEAD"
    assert (await api.delete(f"{RUNS}/1/cancel")).headers["Allow"] == "POST"


async def test_head_is_get_without_the_body(api) -> None:
    run = (await api.post(RUNS, json={"sources": ["hgnc"]})).json()["id"]
    paths = [path for path, methods in (await api.get("/openapi.json")).json()["paths"].items()
             if "get" in methods]  # fmt: skip
    assert len(paths) > 5
    for path in [*paths, "/openapi.json", "/nothing"]:
        address = path.replace("{run_id}", str(run)).replace("{name}", "PKD1")
        head, get = await api.head(address), await api.get(address)
        assert head.status_code == get.status_code, path
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert head.content == b""
    assert (await api.head(f"{RUNS}/{run}/cancel")).status_code == 405
    assert (await api.head(RUNS, headers={"Authorization": ""})).status_code == 401


async def test_our_own_mistake_shows_nothing_inside(api, query, capsys) -> None:
    query("ALTER TABLE run_events RENAME COLUMN event TO something")
    answer = await post(api, b'{"sources": ["ensembl"]}')
    assert answer.status_code == 500
    assert answer.json()["error"] == "an unexpected error occurred"
    assert "run_events" not in answer.text
