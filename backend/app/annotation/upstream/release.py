"""A release of what an upstream service publishes."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a source.

    Args:
        name: as people read it: the version that the upstream names, or a day.
        marker: what differs between two releases: the name, or the ``ETag`` of a file.
        address: of the file or the service.
    """

    name: str
    marker: str
    address: str


def public_address(address: str) -> str:
    """Return an address without the name and the password that it may contain."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
