"""Generates the documentation of the HTTP API from FastAPI's OpenAPI document."""

import json
import shlex
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from functools import cache
from typing import Any

from app.annotation.settings import Settings
from app.main import create_app
from reference.json_schema import fields, name_of, type_phrase
from reference.markdown import table

Described = Mapping[str, Any]

HERE = "http://127.0.0.1:8000"
"""The address of `just api`."""


@cache
def openapi() -> dict[str, Any]:
    """Return the API's OpenAPI document, the same on every machine."""
    # uses the defaults: neither the environment nor `.env` is read
    return create_app(Settings.model_construct()).openapi()


def openapi_json() -> str:
    """Return the document as the text of a file."""
    return json.dumps(openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def endpoints() -> str:
    """Return a table of all endpoints, and a section for each."""
    document = openapi()
    rows = [
        [
            f"`{method}`",
            f"`{path}`",
            f"[{route['summary']}](#{_anchor(route['summary'])})",
            _who(route),
        ]
        for method, path, route in _routes(document)
    ]
    sections = [_section(*each, document) for each in _routes(document)]
    return "\n".join([table(["Method", "Path", "What it does", "Access"], rows), *sections])


def objects() -> str:
    """Return a section for each object that several endpoints use."""
    document = openapi()
    schemas = document["components"]["schemas"]
    parts = []
    for name in sorted(schemas.keys() - _of_one(document)):
        parts += [f"### {name}\n", f"{schemas[name]['description']}\n", fields(schemas[name])]
    return "\n".join(parts)


def _routes(document: Described) -> Iterator[tuple[str, str, Described]]:
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            yield method.upper(), path, route


def _of_one(document: Described) -> set[str]:
    """Return the objects that only one endpoint and no other object uses."""
    listed = {
        name
        for _, _, route in _routes(document)
        for name in _names(route["responses"])
        if name not in _answers(route)
    }
    shown = Counter(
        name
        for _, _, route in _routes(document)
        for name in (_body(route), *_answers(route))
        if name is not None
    )
    nested = {n for schema in document["components"]["schemas"].values() for n in _names(schema)}
    return {name for name, times in shown.items() if times == 1} - nested - listed


def _section(method: str, path: str, route: Described, document: Described) -> str:
    schemas, of_one = document["components"]["schemas"], _of_one(document)
    parts = [f"### {route['summary']}\n", f"`{method} {path}`\n", f"{route['description']}\n"]
    parts.append(f"```sh\n{_curl(method, path, route, schemas)}\n```\n")
    if parameters := route.get("parameters"):
        parts += ["Parameters:\n", _parameters(parameters)]
    if body := _body(route):
        parts += ["The body, as JSON:\n", fields(schemas[body], sent=True)]
    parts += ["Answers:\n", _statuses(route, of_one)]
    for name in _answers(route):
        if name in of_one:
            parts += [f"The fields of `{name}`:\n", fields(schemas[name])]
    return "\n".join(parts)


def _parameters(parameters: list[Described]) -> str:
    rows = []
    for parameter in parameters:
        schema = parameter["schema"]
        default = f"`{schema['default']}`" if "default" in schema else "none"
        rows.append(
            [
                f"`{parameter['name']}`",
                parameter["in"],
                # a URL cannot contain null: such a parameter is omitted
                type_phrase(schema).removesuffix(" or null"),
                "required" if parameter["required"] else default,
                parameter["description"],
            ]
        )
    return table(["Name", "In", "Type", "Default", "Meaning"], rows)


def _statuses(route: Described, of_one: Container[str | None]) -> str:
    rows = []
    for status, answer in sorted(route["responses"].items()):
        words = "empty"
        for content in answer.get("content", {}).values():
            name = name_of(content["schema"])
            words = f"`{name}`, below" if name in of_one else type_phrase(content["schema"])
        rows.append([status, answer["description"], words])
    return table(["Status", "When", "Answer"], rows)


def _curl(method: str, path: str, route: Described, schemas: Described) -> str:
    words = ["curl"]
    for parameter in route.get("parameters", ()):
        if parameter["in"] == "path":
            example = str(parameter["schema"]["examples"][0])
            path = path.replace(f"{{{parameter['name']}}}", example)
        elif parameter["required"]:
            path += f"?{parameter['name']}={parameter['schema']['examples'][0][0]}"
    if "security" in route:
        # in double quotes, so that the shell expands the token
        words.append('-H "Authorization: Bearer $ADMIN_TOKEN"')
    if body := _body(route):
        words.append(f"-d {shlex.quote(json.dumps(schemas[body]['examples'][0]))}")
    # with a body, curl sends POST by default
    if method not in {"GET", "POST" if body else "GET"}:
        words.append(f"-X {method}")
    # one line would be too long for both
    return " ".join(words) + (" \\\n  " if len(words) > 1 else " ") + HERE + path


def _body(route: Described) -> str | None:
    if "requestBody" not in route:
        return None
    return name_of(route["requestBody"]["content"]["application/json"]["schema"])


def _answers(route: Described) -> list[str]:
    """Return the objects of successful answers."""
    names = [
        name
        for status, answer in sorted(route["responses"].items())
        for content in answer.get("content", {}).values()
        if status < "300" and (name := name_of(content["schema"]))
    ]
    return list(dict.fromkeys(names))


def _names(schema: object) -> Iterator[str]:
    """Yield the objects that a schema refers to, at any depth."""
    if isinstance(schema, dict):
        if name := name_of(schema):
            yield name
        for each in schema.values():
            yield from _names(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _names(each)


def _who(route: Described) -> str:
    return "with `ADMIN_TOKEN`" if "security" in route else "public"


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")
