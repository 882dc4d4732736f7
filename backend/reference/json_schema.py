"""Describes OpenAPI's JSON schemas in words."""

import json
from collections.abc import Mapping
from typing import Any

from reference.markdown import table

_TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "null",
    "number": "number",
    "object": "object",
    "string": "text",
}


def name_of(schema: Mapping[str, Any]) -> str | None:
    """Return the name of the object that a schema refers to, if it does."""
    reference: str | None = schema.get("$ref")
    return None if reference is None else reference.rpartition("/")[2]


def type_phrase(schema: Mapping[str, Any]) -> str:
    """Describe the values that a schema allows. A named object is linked to ``#name``."""
    if name := name_of(schema):
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(type_phrase, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "type" not in schema:
        return "any value"
    words = _TYPES[schema["type"]]
    if schema.get("format") == "date-time":
        words = "date and time"
    if bounds := _bounds(schema):
        words += f" ({bounds})"
    if schema["type"] == "array":
        words += f" of {type_phrase(schema['items'])}"
    if isinstance(values := schema.get("additionalProperties"), dict):
        words += f" whose values are {type_phrase(values)}"
    return words


def fields(schema: Mapping[str, Any], *, sent: bool = False) -> str:
    """Return a table of an object's fields, with the defaults if clients send the object."""
    head = ["Field", "Type", *(["Default"] if sent else []), "Meaning"]
    rows = []
    for name, field in schema["properties"].items():
        default = [_default(name, field, schema)] if sent else []
        rows.append([f"`{name}`", type_phrase(field), *default, field.get("description", "")])
    return table(head, rows)


def _default(name: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if name in schema.get("required", ()):
        return "required"
    return f"`{json.dumps(field['default'])}`" if "default" in field else "`null`"


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    words = []
    if low is not None:
        words.append(f"{low} or more" if high is None else f"{low} to {_number(high)}")
    elif high is not None:
        words.append(f"at most {_number(high)}")
    if "maxLength" in schema:
        words.append(f"at most {schema['maxLength']} characters")
    if "maxItems" in schema:
        words.append(f"at most {schema['maxItems']}")
    return ", ".join(words)


def _number(value: int) -> str:
    return "2^63 - 1" if value == 2**63 - 1 else str(value)
