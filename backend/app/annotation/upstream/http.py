"""The HTTP client that all sources of a process share."""

import logging

import httpx

from app import __version__
from app.core.process.network import outbound_transport
from app.core.process.redaction import RedactingFilter

USER_AGENT = f"kidney-genetics/{__version__}"

_KEEPALIVE_SECONDS = 30.0
"""Seconds that an idle connection stays open. A new connection costs two or three round trips,
and often the slot of its request."""

_httpx_filter = RedactingFilter()


def user_agent(contact: str | None) -> str:
    """Return how requests name this software, and who runs it.

    Args:
        contact: an address that a service can write to; None if there is none.
    """
    return f"{USER_AGENT} (mailto:{contact})" if contact else USER_AGENT


def new_http_client(timeout: float = 30.0) -> httpx.AsyncClient:
    """Return a client with our timeouts, limits and user agent. The caller closes it.

    One client serves a whole process. To make it reads the certificates and blocks the event loop
    for about 80 ms, so make it before there is work.

    httpx logs every URL with its query at INFO, and the query may contain an API key. So its logger
    gets a redacting filter, which works with any logging configuration.

    Args:
        timeout: seconds to wait for a connection, and for each next part of an answer.

    Raises:
        UserError: the environment names a proxy, or certificates, that cannot be used.
    """
    logging.getLogger("httpx").addFilter(_httpx_filter)
    return httpx.AsyncClient(
        # without Accept, some services answer in XML
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        timeout=httpx.Timeout(timeout, pool=None),
        transport=outbound_transport(
            httpx.Limits(max_connections=100, keepalive_expiry=_KEEPALIVE_SECONDS)
        ),
        trust_env=False,
        follow_redirects=False,
    )
