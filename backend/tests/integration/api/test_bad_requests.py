"""What is no request gets a clear answer, in one shape, and shows nothing it should not."""

import json

import httpx
import pytest

from app.api.body import LARGEST_BODY

RUNS = "/api/admin/runs"
SHAPE = {"error", "allowed", "remedy"}


async def post(
    api: httpx.AsyncClient, body: bytes, kind: str = "application/json"
) -> httpx.Response:
    return await api.post(RUNS, content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("body", [b"{", b"sources=clinvar", b"\xff\xfe", b"[" * 60_000])
async def test_a_body_that_is_no_json(api, body) -> None:
    answer = await post(api, body)
    assert answer.status_code == 400
    assert set(answer.json()) == SHAPE


@pytest.mark.parametrize(
    "body",
    [
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
    ],
)
async def test_a_body_of_the_wrong_shape(api, body, query) -> None:
    answer = await post(api, json.dumps(body).encode())
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) == SHAPE
    assert query("SELECT * FROM runs") == []


async def test_an_unknown_field_is_named(api) -> None:
    answer = await post(api, b'{"source": ["clinvar"]}')
    assert "'source'" in answer.json()["error"]


async def test_an_unknown_mode_is_told_what_there_is(api) -> None:
    answer = await post(api, b'{"mode": "quick"}')
    assert answer.json()["allowed"] == "smart or full"


async def test_a_body_without_its_type_is_told_the_remedy(api) -> None:
    answer = await post(api, b"{}", "application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["remedy"]


async def test_no_body_at_all_starts_nothing(api, query) -> None:
    assert (await api.post(RUNS)).status_code == 422
    assert query("SELECT * FROM runs") == []


async def test_what_was_sent_is_not_repeated(api) -> None:
    secret = "hunter2-hunter2"
    for body in ({"sources": {"password": secret}}, {"mode": [secret]}, [secret], {"mode": {}}):
        answer = await post(api, json.dumps(body).encode())
        assert secret not in answer.text


async def test_a_body_as_large_as_allowed_is_read(api) -> None:
    assert (await post(api, b"{}".ljust(LARGEST_BODY))).status_code == 202


async def test_an_unknown_address_and_a_wrong_method(api) -> None:
    for answer, status in (
        (await api.get("/api/admin/nothing"), 404),
        (await api.get("/nothing"), 404),
        (await api.delete(RUNS), 405),
    ):
        assert answer.status_code == status
        assert set(answer.json()) == SHAPE


async def test_our_own_mistake_shows_nothing_inside(api, query, capsys) -> None:
    query("ALTER TABLE run_events RENAME COLUMN event TO something")
    answer = await post(api, b'{"sources": ["ensembl"]}')
    assert answer.status_code == 500
    assert answer.json()["error"] == "something went wrong here"
    assert "run_events" not in answer.text
