"""Generates a page for each source: the definitions of its data, their origin and licence."""

import inspect
import re
from typing import Any

import msgspec

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.base import ApiSource, FileSource, Source
from app.annotation.sources.collected import CollectedSource
from app.annotation.sources.structure import definitions, structures, unmarked
from reference.markdown import table

_ROLE = re.compile(r":(?:class|func|data|meth|mod|attr):`[~.]*(?:[\w.]*\.)?(\w+)`")


def page(source: type[Source]) -> str:
    """Return the page of a source."""
    info = source.info
    explained = (
        "`data` has these fields if the state of the annotation is `found`. Null means that the"
        " source gives no value; it never means zero. A field that *moves* can change although the"
        " source still says the same about the gene. The API serves the same definitions as a JSON"
        f" schema at `/api/sources/{info.name}/schema`."
    )
    parts = [
        f"# {info.title}",
        _prose(source),
        _facts(source),
        f"## The data of `{info.name}`",
        explained,
        *(
            _fields(structure, first=structure is source.data)
            for structure in structures(source.data)
        ),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def navigation() -> str:
    """Return the pages as entries of the site's navigation."""
    return "".join(f"          - reference/sources/{name}.md\n" for name in SOURCES)


def _prose(source: type[Source]) -> str:
    """Return a class's docstring as Markdown."""
    text = inspect.cleandoc(source.__doc__ or "").replace("``", "`")
    return _ROLE.sub(r"`\1`", text)


def _facts(source: type[Source]) -> str:
    info = source.info
    rows = [
        ("Licence", f"[{info.licence}]({info.licence_url})"),
        ("Attribution", info.attribution),
        ("Refreshed", f"for each release, or after {info.freshness.days} days"),
        ("Needs", ", ".join(f"`{need}`" for need in sorted(info.needs)) or "no other identifier"),
    ]  # fmt: skip
    if issubclass(source, CollectedSource):
        rows.append(("Services", "<br>".join(f"`{host.url}`" for host in info.hosts)))
    elif issubclass(source, FileSource):
        file = source.file
        files = "<br>".join(f"`{file.host_of(path).url}/{path}`" for path in file.paths)
        rows.append(("Files", files))
    if issubclass(source, ApiSource):
        rows.append(("Service", f"`{source.service.url}`"))
    settings = [
        name
        for host in info.hosts
        for name in (host.setting, host.rate_setting, host.key_setting)
        if name
    ]
    own = info.settings.__annotations__ if info.settings is not None else {}
    known = [*settings, *(name for name in own if name in Settings.model_fields)]
    rows.append(("Settings", ", ".join(f"`{name.upper()}`" for name in dict.fromkeys(known))))
    return table(("Property", "Value"), rows)


def _fields(structure: type[msgspec.Struct], *, first: bool) -> str:
    described = definitions(structure)
    info = msgspec.inspect.type_info(structure)
    assert isinstance(info, msgspec.inspect.StructType)
    rows = []
    for field in info.fields:
        _, marks = unmarked(field.type)
        words = [described[field.name], *(["*Moves.*"] if marks.get("moves") else [])]
        if names := marks.get("identified_by"):
            words.append(f"Identified by {', '.join(f'`{name}`' for name in names)}.")
        shown = f"`{field.encode_name}`"
        rows.append((shown, _in_words(field.type), unit_of(field.type), " ".join(words)))
    found = table(("Field", "Type", "Unit", "Definition"), rows)
    if first:
        return found
    says = inspect.cleandoc(structure.__doc__ or "")
    return f"### {structure.__name__}\n\n{says}\n\n{found}"


_SIMPLE: tuple[tuple[type[Any], str], ...] = (
    (msgspec.inspect.BoolType, "true or false"),
    (msgspec.inspect.IntType, "whole number"),
    (msgspec.inspect.FloatType, "number"),
    (msgspec.inspect.StrType, "text"),
    (msgspec.inspect.DateType, "date (YYYY-MM-DD)"),
)


def unit_of(described: Any) -> str:
    """Return the unit of a number, or of the numbers in a list or a map; else an empty text."""
    described, says = unmarked(described)
    inner = [getattr(described, name, None) for name in ("item_type", "value_type")]
    inner += getattr(described, "types", ())
    found: str = says.get("unit") or next(filter(None, map(unit_of, filter(None, inner))), "")
    return found


def _in_words(described: Any) -> str:
    described, _ = unmarked(described)
    words = next((words for kind, words in _SIMPLE if isinstance(described, kind)), None)
    match described:
        case msgspec.inspect.StructType():
            words = f"[{described.cls.__name__}](#{described.cls.__name__.lower()})"
        case msgspec.inspect.UnionType():
            inner = [type_ for type_ in described.types if type_ != msgspec.inspect.NoneType()]
            null = " or null" if len(inner) < len(described.types) else ""
            words = " or ".join(map(_in_words, inner)) + null
        case msgspec.inspect.DictType():
            words = f"map from {_in_words(described.key_type)} to {_in_words(described.value_type)}"
        case msgspec.inspect.LiteralType():
            words = " or ".join(f"`{value}`" for value in described.values)
        case msgspec.inspect.TupleType():
            words = f"list of {', '.join(map(_in_words, described.item_types))}"
    return words or f"list of {_in_words(described.item_type)}"
