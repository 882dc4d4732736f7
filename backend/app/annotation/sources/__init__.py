"""The sources of annotations: one module or package for each.

A source of up to about 250 lines is one module: its hosts, the structure of its data, its reader,
and its class. A larger one is a package. There, `data` has the structure, `reader` has the function
``read`` that reads the files, `source` has the hosts and the class (or `declaration` has the hosts
and settings, if both are long), and other modules are named for what they read or compute.

`registry` has :data:`SOURCES` and is imported lazily: a process that reads a file needs only its
reader, and starts in a quarter of the time without the registry. `base` has the base classes of
sources, `declaration` what a source declares, and `answers` the types of genes and answers.
`structure` describes the data of an answer, `pictures` how a page presents them, and `links` the
addresses of identifiers. `connector` connects a source to its hosts, and `probe` and `probing` have
the doctor's checks. `collected` collects a service's answers in a file, `keyed` groups the rows of
a file by gene, and `ontology` computes which terms are below others. `accepted_files` compares a
file with the last accepted one, within the settings in `thresholds`. `cached_files` lists the
downloaded files that sources read. `names` has the names of a gene. `hgnc` also resolves gene
lists; no other code refers to a source by name.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.annotation.sources.registry import SOURCES, build

__all__ = [
    "SOURCES",
    "accepted_files",
    "answers",
    "base",
    "build",
    "cached_files",
    "collected",
    "connector",
    "declaration",
    "hgnc",
    "keyed",
    "links",
    "names",
    "ontology",
    "pictures",
    "probe",
    "probing",
    "structure",
    "thresholds",
]
"""The names and modules that others may use."""


def __getattr__(name: str) -> Any:
    if name not in {"SOURCES", "build"}:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from app.annotation.sources import registry

    return getattr(registry, name)
