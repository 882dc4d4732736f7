"""Reads the docstrings under the fields of a model."""

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def describe_fields(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add the docstring under each field to a JSON schema, as the field's description.

    A model sets this function as `json_schema_extra` in its configuration. pydantic's own setting,
    `use_attribute_docstrings`, parses the source of each model whenever a process starts, which is
    a tenth of the API's start time. This function parses it when a schema is generated.

    Args:
        schema: the schema of the model; it is modified.
        model: the model. Its docstrings may be in its own class or in a base class.
    """
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        docs |= _docs_of(base.__module__).get(base.__qualname__, {})
    for name, field in model.model_fields.items():
        described = schema["properties"].get(field.alias or name)
        if described is not None and name in docs:
            described.setdefault("description", docs[name])


class View(BaseModel):
    """The base of answers. The text under a field is its documentation."""

    model_config = ConfigDict(json_schema_extra=describe_fields)


def one_of(values: Iterable[str]) -> Any:
    """Document the values of a text in OpenAPI. They are not validated, so no list can fail."""
    return Field(json_schema_extra={"enum": [*values]})


@cache
def _docs_of(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the docstrings of the fields in a module, by the names of class and field."""
    try:
        code = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):
        # an extension module, or code without a file
        return {}
    classes = (node for node in ast.parse(code).body if isinstance(node, ast.ClassDef))
    return {node.name: _docs_in(node) for node in classes}


def _docs_in(definition: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                docs[name] = inspect.cleandoc(words)
    return docs
