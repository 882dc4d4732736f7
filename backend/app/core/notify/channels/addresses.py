"""Which addresses can be connected to, and which a webhook may have.

Without these checks, whoever can set a webhook could let this host send requests into its own
network: to a database, to the metadata service of a cloud, to a router.
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
        ValueError: its host cannot be resolved, its port cannot be used, or it has blanks or
            control characters.
    """
    parts = urlsplit(url)
    # a name with an empty or too long part cannot be resolved
    (parts.hostname or "").encode("idna")
    if parts.port == 0 or not url.isprintable() or " " in url:
        message = "not the address of a service"
        raise ValueError(message)
    return parts


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet.

    Private, loopback, link-local, site-local, shared (CGNAT), multicast and reserved addresses are
    not. An IPv6 address that contains an IPv4 address is judged by that one too.

    Raises:
        ValueError: it is no IP address.
    """
    parsed = ip_address(address.partition("%")[0])
    if parsed in _SITE_LOCAL:
        return False
    return all(
        address.is_global and not address.is_multicast for address in (parsed, *_contained(parsed))
    )


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is this host's own.

    Raises:
        ValueError: it is no IP address.
    """
    parsed = ip_address(address.partition("%")[0])
    inside = _contained(parsed)
    return parsed.is_loopback or any(address.is_loopback for address in inside)


def literal(host: str) -> str | None:
    """Return the IP address that a host in an address is written as; None if it is a name."""
    try:
        return str(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def names_loopback(host: str) -> bool:
    """Tell whether a host in an address is written as this host itself."""
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
