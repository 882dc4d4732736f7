"""A release of what an upstream service publishes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a source.

    Args:
        name: as people read it: the version that the upstream names, or a day.
        marker: what differs between two releases: the name, or the ``ETag`` of a file.
    """

    name: str
    marker: str
