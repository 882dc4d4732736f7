"""Reads the text under the fields of a model, which is their documentation."""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel


def describe_fields(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add the text under each field to a JSON schema, as the field's description.

    A model has this function as `json_schema_extra` in its configuration. pydantic's own setting,
    `use_attribute_docstrings`, reads the code of each model whenever a process starts, and that is
    a tenth of what the start of the API takes. This function reads it when a schema is asked for.

    Args:
        schema: of the model; it is changed.
        model: with its text in the code of its class or of a class above it.
    """
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        docs |= _docs_of(base.__module__).get(base.__qualname__, {})
    for name, field in model.model_fields.items():
        described = schema["properties"].get(field.alias or name)
        if described is not None and name in docs:
            described.setdefault("description", docs[name])


@cache
def _docs_of(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the text under the fields of a module's classes, by the names of class and field."""
    try:
        code = inspect.getsource(sys.modules[module])
    except (OSError, TypeError):
        # a module of C, or a program that was typed in
        return {}
    classes = (node for node in ast.parse(code).body if isinstance(node, ast.ClassDef))
    return {node.name: _docs_in(node) for node in classes}


def _docs_in(found: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for field, text in zip(found.body, found.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                docs[name] = inspect.cleandoc(words)
    return docs
