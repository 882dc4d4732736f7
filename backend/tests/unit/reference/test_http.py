import json
import re
import shlex
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest
from fastapi import FastAPI

from app.annotation.settings import Settings
from app.api.probes import Probes
from app.api.services import Services
from app.core.workers.dispatcher import InProcessDispatcher
from app.db.engine import create_engine
from app.main import create_app
from reference import http
from reference.json_schema import name_of

TOKEN = "a-token-of-the-tests"
CURL = re.compile(r"```sh\n(curl .*?)\n```", re.DOTALL)


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    """The API, without servers."""
    nowhere = "postgresql://127.0.0.1:1/nothing"
    settings = Settings(_env_file=None, database_url=nowhere, admin_token=TOKEN)
    app = create_app(settings)
    db = create_engine(nowhere, session="test")
    probes = Probes(settings)
    app.state.services = Services(db, db, probes, InProcessDispatcher(), None, settings)
    yield app
    await probes.close()
    await db.dispose()


def test_the_document_is_what_the_api_serves(app: FastAPI) -> None:
    assert json.loads(http.openapi_json()) == json.loads(json.dumps(app.openapi()))


def test_the_document_depends_on_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    before = http.openapi_json()
    monkeypatch.setenv("ARQ_MAX_JOBS", "no number")
    monkeypatch.setenv("ADMIN_TOKEN", "of-somebody-s-environment")
    http.openapi.cache_clear()
    assert http.openapi_json() == before


def test_every_route_is_in_the_table_and_has_a_section() -> None:
    page = http.endpoints()
    for path, methods in http.openapi()["paths"].items():
        for method, route in methods.items():
            assert f"| `{method.upper()}` | `{path}` | [{route['summary']}](#" in page
            assert f"### {route['summary']}\n\n`{method.upper()} {path}`\n" in page


def test_every_object_is_shown_once_and_every_link_leads_to_a_heading() -> None:
    page = http.endpoints() + http.objects()
    headings = re.findall("^### (.*)$", page, re.MULTILINE)
    anchors = [heading.lower().replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#(.*?)\)", page)) <= set(anchors)
    taken = {
        name_of(route["requestBody"]["content"]["application/json"]["schema"])
        for methods in http.openapi()["paths"].values()
        for route in methods.values()
        if "requestBody" in route
    }
    assert page.count("The body, as JSON:") == len(taken)
    for name, schema in http.openapi()["components"]["schemas"].items():
        shown = 1 if name in taken else page.count(f"fields of `{name}`:")
        assert shown + headings.count(name) == 1, name
        assert all(f"| `{field}` |" in page for field in schema["properties"])


def test_every_status_has_a_description_of_its_own() -> None:
    # the names of statuses differ between Python versions
    names = {status.phrase for status in HTTPStatus} | {"Successful Response", "Validation Error"}
    page = http.endpoints()
    for methods in http.openapi()["paths"].values():
        for route in methods.values():
            for answer in route["responses"].values():
                assert answer["description"] not in names
                assert f"| {answer['description']} |" in page


def test_the_access_in_the_table_is_that_of_the_api() -> None:
    for line in http.endpoints().split("###")[0].splitlines()[2:]:
        if line:
            assert ("`/api/admin/" in line) == ("with `ADMIN_TOKEN`" in line), line


async def test_every_example_is_accepted_up_to_the_database(app: FastAPI) -> None:
    examples = CURL.findall(http.endpoints())
    assert len(examples) == sum(len(methods) for methods in http.openapi()["paths"].values())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport) as client:
        for example in examples:
            answer = await client.send(_request(example))
            if any(path in example for path in ("/health/live", "/metrics", "/schema", "/doctor")):
                assert answer.status_code == 200
            elif "/notifications/test" in example:
                # this call needs channels, and none is configured
                assert answer.status_code == 409
            else:
                assert (answer.status_code, answer.json()["error"]) == (
                    503,
                    "the database is unavailable",
                )


def _request(example: str) -> httpx.Request:
    """Parse a command like curl."""
    program, *words = shlex.split(example.replace("$ADMIN_TOKEN", TOKEN).replace("\\\n", ""))
    assert program == "curl"
    address = words.pop()
    options = dict(zip(words[::2], words[1::2], strict=True))
    body = options.pop("-d", None)
    method = options.pop("-X", "GET" if body is None else "POST")
    headers = [options.pop("-H").split(": ", 1)] if "-H" in options else []
    assert options == {}
    return httpx.Request(method, address, headers=headers, content=body)
