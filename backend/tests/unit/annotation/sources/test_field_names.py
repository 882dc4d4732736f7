"""The names of the fields in the answers of all sources."""

from collections import defaultdict
from typing import Any

import msgspec

from app.annotation.sources import SOURCES
from app.annotation.sources.structure import structures


def kind_of(schema: dict[str, Any]) -> Any:
    """Return the type of a field without None. Objects are not distinguished."""
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    (kind,) = kinds
    if "enum" in kind:
        return "string"
    if "items" in kind:
        return "array", kind_of(kind["items"])
    return kind.get("type", "object"), kind.get("format")


def test_fields_with_the_same_name_have_the_same_meaning_in_all_sources() -> None:
    found: dict[str, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, source in SOURCES.items():
        for structure in structures(source.data):
            schema = msgspec.json.schema(structure)["$defs"][structure.__name__]
            for field, described in schema["properties"].items():
                found[field][kind_of(described)].append(name)
    assert {field: dict(kinds) for field, kinds in found.items() if len(kinds) > 1} == {}


def test_all_sources_name_diseases_and_modes_of_inheritance_alike() -> None:
    other = {"disease_name", "disease_label", "disorder", "mim", "mondo_id", "moi", "inheritance"}
    for source in SOURCES.values():
        for structure in structures(source.data):
            fields = set(structure.__struct_fields__)
            assert not fields & other, structure
            assert ("disease" in fields) == ("disease_id" in fields), structure
