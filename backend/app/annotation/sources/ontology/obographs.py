"""Reads ontologies in the format OBO Graphs JSON (https://github.com/geneontology/obographs)."""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from app.annotation.sources.ontology.graph import Ontology
from app.annotation.upstream.bulk_files.lines import UnusableFile

_OBO = "http://purl.obolibrary.org/obo/"
_REPLACED_BY = f"{_OBO}IAO_0100001"
_ALTERNATIVE = "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId"
_VERSION = "http://www.w3.org/2002/07/owl#versionInfo"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class _Property(msgspec.Struct, gc=False, frozen=True):
    pred: str
    val: str


class _Meta(msgspec.Struct, gc=False, frozen=True):
    version: str | None = None
    deprecated: bool = False
    basicPropertyValues: tuple[_Property, ...] = ()  # noqa: N815 - the format's name

    def values(self, predicate: str) -> list[str]:
        return [
            property_.val for property_ in self.basicPropertyValues if property_.pred == predicate
        ]


class _Node(msgspec.Struct, gc=False):
    id: str
    lbl: str | None = None
    meta: _Meta = _Meta()


class _Edge(msgspec.Struct, gc=False):
    sub: str
    pred: str
    obj: str


class _Graph(msgspec.Struct):
    nodes: list[_Node]
    edges: list[_Edge]
    meta: _Meta


class _Document(msgspec.Struct):
    graphs: tuple[_Graph]


def read_obographs(path: Path, prefix: str) -> Ontology:
    """Read an ontology in OBO Graphs JSON format.

    Args:
        path: the path of the file.
        prefix: the prefix of the ontology's own ids, such as `HP`. Other terms are skipped.

    Raises:
        UnusableFile: the file is not an ontology in this format, or has no term.
    """
    try:
        (graph,) = msgspec.json.decode(path.read_bytes(), type=_Document).graphs
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableFile(f"{path.name} is not an ontology in JSON: {error}") from error
    own = f"{_OBO}{prefix}_"
    names, replaced = _terms(graph.nodes, own)
    if not names:
        raise UnusableFile(f"{path.name} has no term {prefix}:...")
    parents: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.pred == "is_a" and edge.sub.startswith(own) and edge.obj.startswith(own):
            parents.setdefault(_short(edge.sub), []).append(_short(edge.obj))
    stated = [graph.meta.version or "", *graph.meta.values(_VERSION)]
    days = [day[0] for text in stated if (day := _DAY.search(text))]
    return Ontology(path.name, names, parents, replaced, days[0] if days else None)


def _terms(nodes: Iterable[_Node], own: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of the terms, and the replacements of obsolete and merged terms."""
    names: dict[str, str] = {}
    replaced: dict[str, str] = {}
    for node in nodes:
        if not node.id.startswith(own):
            continue
        term = _short(node.id)
        if node.meta.deprecated:
            for other in node.meta.values(_REPLACED_BY):
                replaced[term] = _short(other)
        elif node.lbl:
            names[term] = node.lbl
            for other in node.meta.values(_ALTERNATIVE):
                replaced.setdefault(_short(other), term)
    return names, replaced


def _short(address: str) -> str:
    return address.removeprefix(_OBO).replace("_", ":", 1)
