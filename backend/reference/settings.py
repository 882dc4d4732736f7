from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from app.annotation.settings import Settings
from app.core.errors import UserError
from app.core.process.checkout import ROOT
from reference.markdown import table
from reference.readers import readers

_HEAD = ("Variable", "Value", "Default", "Meaning", "Read by")

_TYPES = {"boolean": "`True` or `False`", "integer": "whole number", "number": "number"}

_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}

_PATTERNS = {
    r"^https?://[^\s/]+": "address, `http://` or `https://`",
    r"^[^@\s]+@[^@\s]+$": "e-mail address",
}
"""The descriptions of the settings' regular expressions."""

_USUAL = (
    "Servers and files",
    "How runs are executed",
    "The API",
    "Access to NCBI",
    "Disabled sources",
)
"""The sections in the deployment guide."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in the documentation.

    Attributes:
        field: the name in the model.
        value: the allowed values, in words.
        default: the default in the syntax of `.env`; empty if there is none or the setting is a
            secret.
        meaning: the description in one line.
    """

    field: str
    value: str
    default: str
    meaning: str

    @property
    def variable(self) -> str:
        """The name in the environment and in `.env`."""
        return self.field.upper()


def sections(model: type[BaseSettings] = Settings) -> dict[str, list[Setting]]:
    """Return the settings by section, in the order of the model."""
    found: dict[str, list[Setting]] = {}
    heading = ""
    for name, schema in model.model_json_schema()["properties"].items():
        heading = schema.get("section", heading)
        default = _default(model.model_fields[name].default)
        meaning = " ".join(schema["description"].split())
        found.setdefault(heading, []).append(Setting(name, _value(schema), default, meaning))
    return found


def text() -> str:
    """Return a table for each section."""
    return _tables(sections().items(), "##")


def guide() -> str:
    """Return the tables of the settings that installations usually change."""
    found = sections()
    return _tables(((name, found[name]) for name in _USUAL), "###")


def _tables(chosen: Iterable[tuple[str, list[Setting]]], level: str) -> str:
    by = readers()
    parts = []
    for heading, settings in chosen:
        title, _, more = heading.partition(": ")
        rows = [
            (
                f"`{setting.variable}`",
                setting.value,
                f"`{setting.default}`" if setting.default else "none",
                setting.meaning,
                ", ".join(by[setting.field]),
            )
            for setting in settings
        ]
        said = f"{more[0].upper()}{more[1:]}.\n\n" if more else ""
        parts.append(f"{level} {title}\n\n{said}{table(_HEAD, rows)}")
    return "\n".join(parts)


def _default(value: object) -> str:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        # an address is shown unless it could contain a password
        return text if "://" in text and not set(text) & set("@?#") else ""
    if isinstance(value, Path):
        return value.relative_to(ROOT).as_posix()
    return "" if value is None else str(value)


def _value(schema: Mapping[str, Any]) -> str:
    # an optional setting is "this or null"
    schema = next((each for each in schema.get("anyOf", ()) if each["type"] != "null"), schema)
    match schema:
        case {"enum": words}:
            return "one of " + ", ".join(f"`{word}`" for word in words)
        case {"pattern": pattern}:
            return _PATTERNS.get(pattern, f"text that matches `{pattern}`")
        case {"type": "string"}:
            return _text(schema)
    return _TYPES[schema["type"]] + _bounds(schema)


def _text(schema: Mapping[str, Any]) -> str:
    said = "path" if schema.get("format") == "path" else "text"
    limits = {"minimum": schema.get("minLength"), "maximum": schema.get("maxLength")}
    length = _bounds({bound: value for bound, value in limits.items() if value is not None})
    said += f"{length} characters" if length else ""
    return f"{said}, secret" if schema.get("writeOnly") else said


def _bounds(schema: Mapping[str, Any]) -> str:
    bounds = {key: value for key, value in schema.items() if key in _BOUNDS}
    match bounds:
        case {"minimum": low, "maximum": high, **others} if not others:
            return f", {low:,} to {high:,}"
        case {"exclusiveMinimum": low, "maximum": high, **others} if not others:
            return f", more than {low:,}, at most {high:,}"
        case {"minimum": low, **others} if not others:
            return f", {low:,} or more"
        case {"maximum": high, **others} if not others:
            return f", at most {high:,}"
    if bounds:
        raise UserError(f"there is no description for {bounds}", remedy="add them to `_bounds`")
    return ""
