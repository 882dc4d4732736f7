"""Describes the data of a source's answers from the structure that declares them.

The docstring below a field is its definition. A field that may be None is None when the source says
nothing of it; 0 means zero.
"""

import ast
import inspect
import textwrap
from typing import Any

import msgspec


def definitions(structure: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring of each field, in the order of the fields."""
    found: dict[str, str] = {}
    for each in reversed(structure.__mro__):
        if isinstance(each, type(msgspec.Struct)) and each is not msgspec.Struct:
            found |= _definitions(each)
    return {name: found.get(name, "") for name in structure.__struct_fields__}


def json_schema(structure: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema of a structure, with the definitions of all fields in it."""
    schema = msgspec.json.schema(structure)
    for nested in structures(structure):
        properties = schema["$defs"][nested.__name__]["properties"]
        for name, definition in definitions(nested).items():
            if definition:
                properties[_encoded(nested, name)]["description"] = definition
    return schema


def _definitions(structure: Any) -> dict[str, str]:
    (declared,) = ast.parse(textwrap.dedent(inspect.getsource(structure))).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for field, below in zip(declared.body, declared.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(below.value.value).replace("\n", " ")
    return found


def structures(structure: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """Return a structure and all structures that its fields contain."""
    found: list[type[msgspec.Struct]] = []

    def visit(described: Any) -> None:
        if isinstance(described, msgspec.inspect.StructType):
            if described.cls in found:
                return
            found.append(described.cls)
            for field in described.fields:
                visit(field.type)
        for name in ("item_type", "key_type", "value_type"):
            if hasattr(described, name):
                visit(getattr(described, name))
        for name in ("types", "item_types"):
            for each in getattr(described, name, ()):
                visit(each)

    visit(msgspec.inspect.type_info(structure))
    return found


def _encoded(structure: type[msgspec.Struct], name: str) -> str:
    fields = dict(zip(structure.__struct_fields__, structure.__struct_encode_fields__, strict=True))
    return fields[name]
