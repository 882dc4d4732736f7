"""Describes the data of a source's answers from the structure that declares them.

The docstring below a field is its definition. An optional field is None if the source does not
state the value; 0 means zero. Markers add information to a field's type: :func:`unit`,
:data:`MOVES`, :func:`identified_by`, :func:`keys` and :func:`gain`, as in ``Annotated[float,
unit("TPM")]``. In the JSON schema they are ``unit``, ``moves``, ``identified_by`` and
``propertyNames``.
"""

import ast
import inspect
import textwrap
from typing import Any

import msgspec
from msgspec import Meta


def _marker(**says: Any) -> Meta:
    return Meta(extra=says, extra_json_schema=says)


def unit(words: str) -> Meta:
    """Return the marker of a unit, such as ``TPM`` or ``variants``.

    Every number has a unit. In a list or map of numbers, the type of the elements has the marker.
    """
    return _marker(unit=words)


MOVES = _marker(moves=True)
"""The marker of a field that may change although the source's statement about the gene does not,
such as the date of an evaluation, a number of articles, or a version."""

BY_DEFAULT = Meta(extra={"by_default": True})
"""The marker of a field that tables of genes show by default."""


def gain(words: str) -> Meta:
    """Return the marker of a field whose increase is news, such as a number of variants.

    Args:
        words: the news about genes with an increase, as in "41 gained a pathogenic variant".
    """
    return Meta(extra={"gain": words})


def identified_by(*fields: str) -> Meta:
    """Return the marker of what identifies an element of a list of objects.

    Two versions of the list are compared as sets: elements are added, removed or altered. Elements
    with the same identity in one list are only added or removed, never altered.

    Args:
        fields: the fields of the element.
    """
    return _marker(identified_by=list(fields))


def keys(*names: str) -> Meta:
    """Return the marker of all keys that a map can have."""
    return Meta(extra={"keys": names}, extra_json_schema={"propertyNames": {"enum": list(names)}})


def unmarked(described: Any) -> tuple[Any, dict[str, Any]]:
    """Return the type without its markers as `msgspec.inspect` describes it, and the markers."""
    says: dict[str, Any] = {}
    while isinstance(described, msgspec.inspect.Metadata):
        says = {**(described.extra or {}), **says}
        described = described.type
    return described, says


def definitions(structure: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring of each field, in the order of the fields."""
    found: dict[str, str] = {}
    for each in reversed(structure.__mro__):
        if isinstance(each, type(msgspec.Struct)) and each is not msgspec.Struct:
            found |= _definitions(each)
    return {name: found.get(name, "") for name in structure.__struct_fields__}


def json_schema(structure: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema of a structure, including the definitions of all fields."""
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
        described, _ = unmarked(described)
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
