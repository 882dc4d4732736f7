"""The sources of annotations: one module, or one package, for each.

A source of up to about 250 lines is one module: its hosts, the structure of its data, its reader,
and its class. A larger one is a package. There, `data` has the structure, `reader` has the function
``read`` that reads the files, `source` has the hosts and the class (or `declaration` has the hosts
and settings, if both are long), and other modules are named for what they read or compute.

`registry` has :data:`SOURCES`, and is imported when these are first used. A process that reads a
file needs its reader only, and starts in a quarter of the time without it. `base` is the form of a
source, `declaration` is what it declares, `pictures` is how people read its data, `links` are
addresses of what identifiers name, and `answers` is what it is asked about and gives.
`connector` connects it to its hosts, and `probe` and `probing` are what the doctor asks it.
`collected` makes a file of a service's answers, `keyed` groups the rows of a file by gene,
`ontology` tells which terms are below others, and `structure` describes the data of an answer.
`accepted_files` compares a file with the one accepted last, within the `thresholds` that are
settings, and `cached_files` knows which downloaded files are read. `names` are the names of a gene.
`hgnc` also resolves gene lists; no other source is used by its name.
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
