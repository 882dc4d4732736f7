"""Finds fields by the names that people type."""

import difflib
import re
from collections.abc import Iterable, Mapping

from app.annotation.data.fields import Field, MapKey, key_of
from app.core.errors import WrongUse

Known = Mapping[str, Mapping[str, Field]]
"""The fields by source and name; see `fields.all_fields`."""

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')

_MOST_SHOWN = 40

_NAMES = re.compile(r'(?:"(?:[^"]|"")*"|[^",])+')


def split_names(text: str) -> list[str]:
    """Split names that are separated by commas. A comma in double quotes belongs to the name."""
    return [name.strip() for name in _NAMES.findall(text) if name.strip()]


def find_field(name: str, known: Known) -> Field | MapKey:
    """Return the field with a name, or the key of a map.

    Args:
        name: ``clinvar.germline.pathogenic``, ``gtex.tissues_tpm.Liver``, or with a key in double
            quotes (a double quote in it is doubled): ``clinvar.review_status."no assertion"``.
        known: the fields.

    Raises:
        WrongUse: there is no such field.
    """
    fields = _fields_of(name, known)
    if name in fields:
        return fields[name]
    for field in fields.values():
        if field.kind == "map" and name.startswith(f"{field.name}."):
            return key_of(field, _key(name, name[len(field.name) + 1 :]))
    raise no_such_field(name, fields)


def find_fields(names: Iterable[str], known: Known) -> list[Field | MapKey]:
    """Return the fields with these names, each once, in the order of the names.

    A name may also be that of a source (``clinvar``) or of a structure (``clinvar.germline``): it
    means all of its fields.

    Raises:
        WrongUse: there is no such source, structure or field.
    """
    found: dict[str, Field | MapKey] = {}
    for name in names:
        below = [
            field for field in _fields_of(name, known).values() if field.name.startswith(f"{name}.")
        ]
        for field in below or [find_field(name, known)]:
            found[field.name] = field
    return list(found.values())


def no_such_field(name: str, fields: Iterable[str]) -> WrongUse:
    """Return the error about a name that no field of the source has."""
    names = list(fields)
    return _none("field", name, names, ", ".join(names[:_MOST_SHOWN]))


def _fields_of(name: str, known: Known) -> Mapping[str, Field]:
    source = name.partition(".")[0]
    if source not in known:
        raise _none("source", source, known, ", ".join(known))
    return known[source]


def _key(name: str, text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    key = quoted[1].replace('""', '"') if quoted else text
    if not key or (not quoted and '"' in text):
        raise WrongUse(
            f"the field {name[:80]!r} names no key",
            allowed='a key as it is, or in double quotes: gtex.tissues_tpm."Liver"',
        )
    return key


def _none(what: str, name: str, names: Iterable[str], allowed: str) -> WrongUse:
    near = difflib.get_close_matches(name[:200], list(names), n=1)
    also = f"; did you mean {near[0]}?" if near else ""
    return WrongUse(f"there is no {what} {name[:80]!r}{also}", allowed=allowed)
