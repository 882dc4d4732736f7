"""The HTTP client that all sources of a process share."""

import logging

import httpx

from app import __version__
from app.annotation.upstream.network import way_out
from app.core.process.redaction import RedactingFilter

USER_AGENT = f"kidney-genetics/{__version__}"

_KEEP_ALIVE = 30.0
"""Seconds; a new connection costs two or three round trips, and often the slot of its request."""

_httpx_filter = RedactingFilter()


def new_http_client(timeout: float = 30.0) -> httpx.AsyncClient:
    """Return a client with our timeouts, limits and name; the caller closes it.

    One serves a whole process. Making it reads the certificates, which holds the event loop up for
    some 80 ms, so it is made before there is work.

    httpx logs every URL with its query at INFO, and the query may hold an API key: its logger is
    given a redacting filter, which holds whatever the logging configuration.

    Args:
        timeout: seconds to wait for a connection, and for each next part of an answer.

    Raises:
        UserError: the environment names a proxy, or certificates, that cannot be used.
    """
    logging.getLogger("httpx").addFilter(_httpx_filter)
    return httpx.AsyncClient(
        # some services answer XML without it
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        timeout=httpx.Timeout(timeout, pool=None),
        transport=way_out(httpx.Limits(max_connections=100, keepalive_expiry=_KEEP_ALIVE)),
        trust_env=False,
        follow_redirects=False,
    )
