"""The HTTP client that all sources of a process share."""

import logging

import httpx

from app import __version__
from app.core.process.network import outbound_transport
from app.core.process.redaction import RedactingFilter

USER_AGENT = f"kidney-genetics/{__version__}"

_KEEPALIVE_SECONDS = 30.0
"""Seconds that an idle connection stays open. A new connection takes two or three round trips, in
which the request's slot of the budget often expires."""

_httpx_filter = RedactingFilter()


def user_agent(contact: str | None) -> str:
    """Return the ``User-Agent`` header: this software and the operator's contact address.

    Args:
        contact: the operator's e-mail address; None omits it.
    """
    return f"{USER_AGENT} (mailto:{contact})" if contact else USER_AGENT


def new_http_client(timeout: float = 30.0) -> httpx.AsyncClient:
    """Return a client with the project's timeouts, limits and user agent. The caller closes it.

    One client serves a whole process. Creating it loads the certificates and blocks the event loop
    for about 80 ms, so create it at startup.

    httpx logs every URL with its query at INFO, and the query may contain an API key. Its logger
    therefore gets a redacting filter, which works with any logging configuration.

    Args:
        timeout: the timeout of connecting and of each read, in seconds.

    Raises:
        UserError: the environment configures a proxy or certificates that cannot be used.
    """
    logging.getLogger("httpx").addFilter(_httpx_filter)
    return httpx.AsyncClient(
        # some services answer in XML by default
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        timeout=httpx.Timeout(timeout, pool=None),
        transport=outbound_transport(
            httpx.Limits(max_connections=100, keepalive_expiry=_KEEPALIVE_SECONDS)
        ),
        trust_env=False,
        follow_redirects=False,
    )
