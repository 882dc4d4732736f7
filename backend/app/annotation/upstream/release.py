"""The release of an upstream service's data."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a source.

    Args:
        name: the name for people: the upstream's version, or the date of the file.
        marker: identifies the release: its name, or the ``ETag`` of the file.
        address: the address of the file or the service.
    """

    name: str
    marker: str
    address: str


def public_address(address: str) -> str:
    """Return an address without its user name and password."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
