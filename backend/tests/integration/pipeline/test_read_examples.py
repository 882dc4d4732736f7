"""OpenAPI describes reads correctly: its examples work, and answers match its schemas."""

import copy
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from pydantic import SecretStr

from app.annotation.settings import Settings
from app.main import create_app
from tests.conftest import REPOSITORY
from tests.integration.api.conftest import serving_app
from tests.integration.pipeline.conftest import Annotator

LONG_AGO = """
UPDATE genes SET created_at = '2025-01-01';
UPDATE annotations SET valid_from = '2025-01-02', fetched_at = '2025-01-02', checked_at = now(),
  origin_since = ARRAY[CAST('2025-01-02' AS timestamptz)]
"""
"""Moves the answers of a run into the past, because the examples use a past date."""

HOW_TO = REPOSITORY / "docs" / "how-to" / "query-genes.md"

COMMAND = re.compile(
    r"""^curl (?:-d '(?P<body>.*)' \\\n  )?"?http://127.0.0.1:8000(?P<path>/[^"\s]*)""",
    re.MULTILINE,
)


class Document:
    """OpenAPI's description of the API."""

    def __init__(self, openapi: dict[str, Any]) -> None:
        self._openapi = openapi
        # properties that the schema does not name are not allowed
        self._strict = copy.deepcopy(openapi["components"])
        for schema in self._strict["schemas"].values():
            if "properties" in schema:
                schema["additionalProperties"] = False

    def reads(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the method, the address and the description of each read."""
        for path, methods in self._openapi["paths"].items():
            for method, route in methods.items():
                is_for_operators = path.startswith("/api/admin") or method == "delete"
                if path.startswith("/api/") and not is_for_operators:
                    yield method.upper(), path, route

    def examples(self, path: str, route: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the address and body of each example of a route."""
        required: dict[str, Any] = {}
        single: list[dict[str, Any]] = []
        for parameter in route.get("parameters", ()):
            examples = parameter["schema"].get("examples", [])
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(examples[0]))
            elif parameter["required"]:
                required[parameter["name"]] = examples[0]
            else:
                single += [{parameter["name"]: example} for example in examples]
        if "requestBody" not in route:
            for each in [{}, *single]:
                yield path, {"params": required | each}
            return
        reference = route["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for body in self._openapi["components"]["schemas"][reference.rpartition("/")[2]][
            "examples"
        ]:
            yield path, {"json": body}

    def check(self, route: dict[str, Any], answer: httpx.Response) -> None:
        """Compare an answer with its schema."""
        content = route["responses"][str(answer.status_code)]["content"]
        if "application/json" not in content or "json" not in answer.headers["Content-Type"]:
            return
        schema = content["application/json"]["schema"] | {"components": self._strict}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


@pytest.fixture
def genes() -> int:
    # each answer is compared with its schema, field by field
    return 15


@pytest.fixture
async def reader(
    annotator: Annotator, settings: Settings
) -> AsyncIterator[tuple[httpx.AsyncClient, Document]]:
    """A client of the API, whose database a run over all sources has filled."""
    assert (await annotator.run()).state == "succeeded"
    for statement in LONG_AGO.split(";"):
        await annotator.change(statement)
    alone = {"use_arq_worker": True, "redis_url": SecretStr("redis://127.0.0.1:1")}
    app = create_app(settings.model_copy(update=alone))
    async with serving_app(app) as client:
        yield client, Document(app.openapi())


async def test_every_example_of_every_read_works_and_its_answer_has_the_shape(
    reader: tuple[httpx.AsyncClient, Document],
) -> None:
    client, document = reader
    await _prepare(client)
    executed = set()
    for method, path, route in document.reads():
        for address, sent in document.examples(path, route):
            answer = await client.request(method, address, **sent)
            assert answer.status_code == 200, (method, address, sent, answer.text)
            document.check(route, answer)
            executed.add((method, path))
    assert {("GET", "/api/genes"), ("GET", "/api/genes/{name}"), ("POST", "/api/genes/query")} <= (
        executed
    )


async def _prepare(client: httpx.AsyncClient) -> None:
    """Create the objects that the examples use."""
    snapshot = {"name": "paper-2026", "by": "a test", "note": ""}
    taken = await client.post("/api/admin/snapshots", json=snapshot)
    assert taken.is_success, taken.text
    genes = {"genes": ["PKD1", "PKD2"], "by": "a test"}
    added = await client.put("/api/admin/lists/ciliopathies", json=genes)
    assert added.is_success, added.text


async def test_every_command_of_the_guide_works(
    reader: tuple[httpx.AsyncClient, Document],
) -> None:
    client, _ = reader
    await _prepare(client)
    commands = list(COMMAND.finditer(HOW_TO.read_text(encoding="utf-8")))
    assert len(commands) == 11
    for each in commands:
        body = each["body"]
        answer = await client.request("POST" if body else "GET", each["path"], content=body)
        assert answer.status_code == 200, (each[0], answer.text)
