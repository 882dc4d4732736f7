"""Decides to which addresses webhooks may connect.

Without these checks, anyone who can set a webhook could make this host send requests into its own
network: to a database, a cloud's metadata service or a router (server-side request forgery).
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})

_NAT64 = IPv6Network("64:ff9b::/96")
"""Its last 32 bits are the IPv4 address that a gateway connects to (RFC 6052)."""

_SITE_LOCAL = IPv6Network("fec0::/10")
"""The former private addresses (RFC 3879), which Python counts as global."""

_COMPATIBLE = IPv6Network("::/96")
"""Its last 32 bits are an IPv4 address in an obsolete form (RFC 4291, section 2.5.5.1)."""


def split(url: str) -> SplitResult:
    """Split the address of a service.

    Raises:
        ValueError: the host or the port is invalid, or the address contains spaces or control
            characters.
    """
    parts = urlsplit(url)
    # raises for a name with an empty or too long label, which cannot be resolved
    (parts.hostname or "").encode("idna")
    if parts.port == 0 or not url.isprintable() or " " in url:
        message = "not the address of a service"
        raise ValueError(message)
    return parts


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    Private, loopback, link-local, site-local, shared (CGNAT), multicast and reserved addresses do
    not. If an IPv6 address embeds an IPv4 address, both must be public.

    Raises:
        ValueError: the text is not an IP address.
    """
    parsed = ip_address(address.partition("%")[0])
    if parsed in _SITE_LOCAL:
        return False
    return all(
        address.is_global and not address.is_multicast for address in (parsed, *_contained(parsed))
    )


def is_loopback(address: str) -> bool:
    """Return whether an IP address is a loopback address.

    Raises:
        ValueError: the text is not an IP address.
    """
    parsed = ip_address(address.partition("%")[0])
    inside = _contained(parsed)
    return parsed.is_loopback or any(address.is_loopback for address in inside)


def literal(host: str) -> str | None:
    """Return the IP address if the host of a URL is written as one; None if it is a name."""
    try:
        return str(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def names_loopback(host: str) -> bool:
    """Return whether the host of a URL is a loopback address or a name of this host."""
    written = literal(host)
    if written is not None:
        return is_loopback(written)
    name = host.lower().rstrip(".")
    return name in LOCAL_NAMES or name.endswith(".localhost")


def _contained(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    if isinstance(address, IPv4Address):
        return ()
    last = IPv4Address(int(address) & 0xFFFF_FFFF)
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        found.append(last)
    return tuple(address for address in found if address is not None)
