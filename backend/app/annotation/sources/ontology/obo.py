"""Reads ontologies in the OBO format (https://owlcollab.github.io/oboformat/doc/obo-syntax.html)."""

import re
from collections.abc import Iterator
from pathlib import Path

from app.annotation.sources.ontology.graph import Ontology
from app.annotation.upstream.bulk_files.lines import UnusableFile, lines

_MAX_LINE_BYTES = 1 << 20
_MAX_BYTES = 256 * 1024**2
_READ = ("id", "name", "is_a", "is_obsolete", "replaced_by", "alt_id")
_REFERS = ("id", "is_a", "replaced_by", "alt_id")
_ID = re.compile(r"(\w+:\w+)(?:\s.*)?", re.ASCII)


def read_obo(path: Path, prefix: str) -> Ontology:
    """Read an ontology in OBO format.

    Args:
        path: the path of the file.
        prefix: the prefix of the ontology's own ids, such as `MP`. Other terms are skipped.

    Raises:
        UnusableFile: the file is not an ontology in this format, has no term, or is truncated.
    """
    names: dict[str, str] = {}
    parents: dict[str, list[str]] = {}
    replaced: dict[str, str] = {}
    own = f"{prefix}:"
    for term in _terms(path):
        if len(term["id"]) != 1 or len(term["name"]) != 1:
            raise UnusableFile(f"{path.name} has a term without an id or a name: {term['id'][:1]}")
        (key,), (name,) = term["id"], term["name"]
        if not key.startswith(own):
            continue
        if term["is_obsolete"] == ["true"]:
            for other in term["replaced_by"]:
                replaced[key] = other
            continue
        names[key] = name
        for other in term["alt_id"]:
            replaced.setdefault(other, key)
        if above := [other for other in term["is_a"] if other.startswith(own)]:
            parents[key] = above
    if not names:
        raise UnusableFile(f"{path.name} has no term {own}...")
    return Ontology(path.name, names, parents, replaced)


def _terms(path: Path) -> Iterator[dict[str, list[str]]]:
    """Yield the values of each `[Term]`, by tag."""
    term: dict[str, list[str]] | None = None
    try:
        for line in lines(path, max_line=_MAX_LINE_BYTES, max_size=_MAX_BYTES, ended=True):
            if line.startswith("["):
                if term is not None:
                    yield term
                term = {tag: [] for tag in _READ} if line.strip() == "[Term]" else None
                continue
            tag, _, value = line.partition(":")
            if term is None or tag not in term:
                continue
            value = value.strip()
            if tag in _REFERS:
                found = _ID.fullmatch(value)
                if found is None:
                    raise UnusableFile(f"{path.name}: {tag} is {value[:40]!r}")
                value = found[1]
            term[tag].append(value)
    except UnicodeDecodeError as error:
        raise UnusableFile(f"{path.name} is not UTF-8: {error.reason}") from error
    if term is not None:
        yield term
