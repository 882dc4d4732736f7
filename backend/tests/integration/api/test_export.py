"""Exports over HTTP: what is sent, what is refused, and what becomes of a client that leaves."""

import asyncio
import io
import json
import socket

import httpx
import openpyxl
import psutil
import pyarrow.parquet as pq
import pytest

from app.annotation.data.export.reading import SESSION
from app.api.export_slots import MAX_EXPORTS
from harness.timing import WAIT, scaled
from harness.waiting import eventually
from tests.integration.large_answers import add_large_answers

EXPORT = "/api/export"
SESSIONS = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{SESSION}'"

TYPES = {
    "tsv": "text/tab-separated-values; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@pytest.fixture
def answers(genes, query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, data, release, fetched_at, checked_state)"
        """ SELECT id, 'hgnc', 'found', '{"name": "=polycystin"}', 'July', now(), 'found'"""
        " FROM genes WHERE symbol = 'PKD1'"
    )


@pytest.mark.parametrize("name", TYPES)
async def test_a_file_of_each_format_is_sent_with_its_type_and_name(name, api, answers) -> None:
    answer = await api.get(EXPORT, params={"format": name, "fields": "hgnc.name"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[name]
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="kidney-genetics-20')
    assert disposition.endswith(f'.{name}"')
    found = {
        "tsv": lambda data: data.decode().splitlines()[1].split("\t")[-1],
        "csv": lambda data: data.decode().splitlines()[1].split(",")[-1],
        "jsonl": lambda data: json.loads(data.splitlines()[0])["hgnc.name"],
        "parquet": lambda data: pq.read_table(io.BytesIO(data))["hgnc.name"][0].as_py(),
        "xlsx": lambda data: openpyxl.load_workbook(io.BytesIO(data))["genes"].cell(2, 9).value,
    }[name](answer.content)
    assert found == ("'=polycystin" if name in {"tsv", "csv"} else "=polycystin")


async def test_text_is_compressed_for_clients_that_accept_it(api, answers) -> None:
    plain = await api.get(EXPORT, headers={"Accept-Encoding": "identity"})
    packed = await api.get(EXPORT, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.content == plain.content
    table = await api.get(EXPORT, params={"format": "parquet"})
    assert "content-encoding" not in table.headers


async def test_the_dictionary_alone_describes_the_columns(api, answers) -> None:
    answer = await api.get(EXPORT, params={"columns": "true", "format": "jsonl"})
    table = await api.get(EXPORT)
    described = [json.loads(line) for line in answer.content.splitlines()]
    assert [each["column"] for each in described] == table.text.split("\n")[0].split("\t")
    assert ".columns.jsonl" in answer.headers["content-disposition"]
    refused = await api.get(EXPORT, params={"columns": "true", "format": "xlsx"})
    assert refused.status_code == 422
    assert refused.json()["allowed"] == "tsv, csv, jsonl"


async def test_head_returns_the_headers_of_get_and_starts_no_export(api, answers, query) -> None:
    answer = await api.head(EXPORT, params={"format": "parquet"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES["parquet"]
    assert answer.content == b""
    # a length of 0, or an ETag that never changes, would tell a mirror that there is nothing new
    assert not {"content-length", "etag"} & answer.headers.keys()
    again = await api.head(EXPORT, headers={"If-None-Match": "*"})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "found", "allowed"),
    [
        ("format=parquett", "there is no format 'parquett'; did you mean parquet?", "tsv, csv"),
        ("sources=clinvarr", "no source 'clinvarr'; did you mean clinvar?", "hgnc, ensembl"),
        ("fields=clinvar.variant", "did you mean clinvar.variants?", "clinvar.variants"),
        ("fields=clinvra.variants", "there is no source 'clinvra'", "clinvar"),
        (
            "sources=hpo&fields=gtex.tissues_tpm",
            "does not belong to the sources hpo",
            "these sources",
        ),
        ("list=nosuch", "there is no gene list 'nosuch'", "list-add"),
        ("snapshot=march", "there is no snapshot 'march'", "just snapshot"),
        ("as_of=yesterday", "as_of is 'yesterday'", "2026-03-31"),
        ("as_of=2999-01-01", "'2999-01-01', which is in the future", "in the past"),
        ("as_of=2026-03-31&snapshot=march", "as_of and snapshot are both given", "one of them"),
        ("long=clinvar.variants", "has no long form", "clinvar.review_status"),
        ("long=panelapp.panel", "did you mean panelapp.panels?", "panelapp.panels"),
        ("long=panelapp.panels&sources=hpo", "cannot be combined with sources", "alone"),
        ("lists=x", "unknown query parameter 'lists', did you mean list?", "format, sources"),
        ("format=tsv&format=csv", "is repeated", "once"),
        ("sources=", "sources names nothing", "no sources for all"),
        ("fields=%2C", "fields names nothing", "no fields for all"),
    ],
)
async def test_invalid_input_is_refused_before_anything_is_sent(
    wrong, found, allowed, api, answers
) -> None:
    answer = await api.get(f"{EXPORT}?{wrong}")
    assert answer.status_code == 422, answer.text
    assert found in answer.json()["error"]
    assert allowed in answer.json()["allowed"]


def _request(where: httpx.URL, query: str = "") -> socket.socket:
    """Request an export, and read only the beginning of the response."""
    client = socket.create_connection((where.host, where.port), timeout=scaled(WAIT))
    client.sendall(f"GET {EXPORT}{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def _children(pid: int) -> list[psutil.Process]:
    return [
        each
        for each in psutil.Process(pid).children()
        if any("export.child" in word for word in each.cmdline())
    ]


async def test_an_export_has_a_slot_a_process_and_a_session_until_its_client_leaves(
    plant, query
) -> None:
    add_large_answers(query)
    api, address = await plant.api()
    clients = [_request(httpx.URL(address)) for _ in range(MAX_EXPORTS)]
    for client in clients:
        assert (await asyncio.to_thread(client.recv, 100)).startswith(b"HTTP/1.1 200")
    assert await eventually(lambda: len(query(SESSIONS)) == MAX_EXPORTS)
    children = _children(api.pid)
    assert len(children) == MAX_EXPORTS
    async with httpx.AsyncClient(base_url=address, timeout=scaled(WAIT)) as other:
        answer = await other.get(EXPORT)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert set(answer.json()) == {"error", "allowed", "remedy"}
        # the rest of the API is served meanwhile
        assert (await other.get("/health/ready")).status_code == 200
        for client in clients:
            client.close()
        await eventually(lambda: not query(SESSIONS))
        await eventually(lambda: not any(child.is_running() for child in children))

        async def exported() -> bool:
            return (await other.get(EXPORT, params={"sources": "gtex"})).status_code == 200

        async with asyncio.timeout(scaled(WAIT)):
            while not await exported():
                await asyncio.sleep(0.1)
        # every slot is free again, and so it is after an export that was read to its end
        for _ in range(MAX_EXPORTS):
            assert await exported()
        answer = await other.get(EXPORT, params={"fields": "hgnc.symbol"})
        assert len(answer.text.splitlines()) == 4_001
        # nothing is left in the folder
        await eventually(lambda: not list((plant.folder / "cache").glob("export-*")))
        assert "Traceback" not in plant.log(api)

        await check_an_export_that_breaks_off(other, query)
    assert "the export cannot be read from PostgreSQL" in plant.log(api)


async def check_an_export_that_breaks_off(client: httpx.AsyncClient, query) -> None:
    """Assert that a client can tell that the response is incomplete."""
    async with client.stream("GET", EXPORT, headers={"Accept-Encoding": "identity"}) as answer:
        assert answer.status_code == 200
        query(f"SELECT pg_terminate_backend(pid) FROM ({SESSIONS})")
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()


async def test_the_processes_of_exports_die_with_the_api_and_its_next_start_removes_their_folders(
    plant, query
) -> None:
    add_large_answers(query)
    api, address = await plant.api()
    table = _request(httpx.URL(address))
    assert await asyncio.to_thread(table.recv, 100)
    book = _request(httpx.URL(address), "?format=xlsx")
    folders = lambda: list((plant.folder / "cache").glob("export-*"))  # noqa: E731
    await eventually(lambda: folders() and len(_children(api.pid)) == 2)
    children = _children(api.pid)
    api.kill()
    await eventually(lambda: not any(child.is_running() for child in children))
    await eventually(lambda: not query(SESSIONS))
    table.close()
    book.close()
    assert folders()
    await plant.api()
    assert not folders()
