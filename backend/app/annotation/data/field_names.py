"""Finds fields by typed names."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.annotation.data.fields import Field, MapKey, key_of
from app.core.errors import WrongUse
from app.core.text.nearest import did_you_mean

Known = Mapping[str, Mapping[str, Field]]
"""The fields by source and name; see `fields.all_fields`."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')

_MAX_SHOWN = 40

_MAX_SUGGESTIONS = 3

_MAX_CHARS = 200
"""Maximum length of an unknown name that is shown and compared with the known ones."""


def unquoted(text: str) -> str | None:
    """Return a text without its enclosing double quotes; None if it is not quoted.

    A double quote inside the text must be doubled.
    """
    return text[1:-1].replace('""', '"') if _QUOTED.fullmatch(text) else None


def outside_quotes(text: str, characters: str) -> Iterator[int]:
    """Yield the positions of characters outside double quotes."""
    quoted = False
    for place, each in enumerate(text):
        if each == '"':
            quoted = not quoted
        elif not quoted and each in characters:
            yield place


def split_names(text: str) -> list[str]:
    """Split names at commas. A comma inside double quotes belongs to the name."""
    ends = [*outside_quotes(text, ","), len(text)]
    starts = [0, *(end + 1 for end in ends)]
    names = (text[start:end].strip() for start, end in zip(starts, ends, strict=False))
    return [name for name in names if name]


def find_field(name: str, known: Known) -> Field | MapKey:
    """Return the field with a name, or one key of a map.

    Args:
        name: ``clinvar.germline.pathogenic``, ``gtex.tissues_tpm.Liver``, or with a key in double
            quotes (a double quote in it is doubled): ``clinvar.review_status."no assertion"``.
        known: the fields.

    Raises:
        WrongUse: the field does not exist, or it is a field of a list's elements.
    """
    first, *parts = find_path(name, known)
    if parts:
        raise WrongUse(
            f"{name[:_MAX_CHARS]!r} is a field of the elements of a list",
            allowed=f"the list {first.name} as a whole",
        )
    return first


def find_path(name: str, known: Known) -> list[Field | MapKey]:
    """Return the field with a name, preceded by the lists that contain it.

    ``panelapp.panels.confidence`` returns the list ``panelapp.panels`` and the field of its
    elements.

    Raises:
        WrongUse: there is no such field.
    """
    fields = _fields_of(name, known)
    found = _path(name, fields.values())
    if found is None:
        below = [field.name for field in fields.values() if field.name.startswith(f"{name}.")]
        if below:
            raise WrongUse(
                f"there is no field {name[:_MAX_CHARS]!r}, but there are fields below it",
                allowed=_shown(below),
            )
        names = [field.name for field in _with_parts(fields.values())]
        raise _none("field", name, names, _shown([*fields]))
    return found


def find_fields(names: Iterable[str], known: Known) -> list[Field | MapKey]:
    """Return the fields with these names without duplicates, in the order of the names.

    The name of a source (``clinvar``) or of a structure (``clinvar.germline``) returns all of its
    fields.

    Raises:
        WrongUse: there is no such source, structure or field.
    """
    found: dict[str, Field | MapKey] = {}
    for name in names:
        fields = _fields_of(name, known).values()
        below = [field for field in fields if field.name.startswith(f"{name}.")]
        for field in below or [find_field(name, known)]:
            found[field.name] = field
    return list(found.values())


def _path(name: str, fields: Iterable[Field]) -> list[Field | MapKey] | None:
    for field in fields:
        if name in (field.name, ".".join((field.source, *field.path))):
            return [field]
        if not name.startswith(f"{field.name}."):
            continue
        if field.kind == "map":
            return [_key(field, name)]
        found = _path(name, field.parts)
        return None if found is None else [field, *found]
    return None


def _key(field: Field, name: str) -> MapKey:
    text = name[len(field.name) + 1 :]
    key = text if '"' not in text else unquoted(text)
    if not key:
        raise WrongUse(
            f"{name[:_MAX_CHARS]!r} names no key of {field.name}",
            allowed=f'a key as it is, or in double quotes: {field.name}."a key"',
        )
    if field.keys and key not in field.keys:
        raise _none(f"key of {field.name}", key, field.keys, _shown(field.keys))
    return key_of(field, key)


def _with_parts(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _with_parts(field.parts)


def _fields_of(name: str, known: Known) -> Mapping[str, Field]:
    source = name.partition(".")[0]
    if source not in known:
        same = [
            field for fields in known.values() for field in fields if field.endswith(f".{name}")
        ]
        if same:
            raise WrongUse(
                f"{name[:_MAX_CHARS]!r} does not begin with a source; did you mean"
                f" {' or '.join(same[:_MAX_SUGGESTIONS])}?",
                allowed=f"a source and its field, such as {same[0]}",
            )
        raise _none("source", source, known, ", ".join(known))
    return known[source]


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _MAX_SHOWN
    return ", ".join(names[:_MAX_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _none(what: str, name: str, names: Iterable[str], allowed: str) -> WrongUse:
    name = name[:_MAX_CHARS]
    return WrongUse(f"there is no {what} {name!r}{did_you_mean(name, names)}", allowed=allowed)
