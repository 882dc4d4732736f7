"""Recognizes a service that is down, although it answers with status 200.

Such a request is not retried immediately and its batch is not halved: the run waits.
"""

import re
from collections.abc import Iterable

from app.annotation.upstream.answers import EXCERPT_BYTES, UNAVAILABLE_SECONDS, excerpt
from app.annotation.upstream.errors import UpstreamUnavailable

# The pattern lets a comment end in one place only, which avoids backtracking over many comments.
# Possessive quantifiers would do the same, but are broken before Python 3.11.5
# (python/cpython#106052).
_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*|<!--(?:(?!-->).)*-->\s*)*"
    rb"<(?:!doctype\s+html|html|head|body|title|meta|script|style|center|h[1-6]|p|br|div|table|frameset"
    rb"|iframe|form|font|noscript|error)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAX_OUTAGE_BYTES = 4_096
_OUTAGE_WORDS = re.compile(
    rb"search backend failed|database is not supported|c\+\+ exception|read failed"
    rb"|error forwarding request|rate limit exceeded|something bad has happened|no servers"
    rb"|unavailable|maintenance|overloaded|too busy|time[d -]*out|try again|try later|bad gateway"
    rb"|upstream request failed|not reachable|unreachable"
    rb"|internal (?:server )?error|cannot (?:be reached|connect)"
    rb"|connection (?:refused|reset|failed)"
    rb'|"(?:code|status)"\s*:\s*"?5\d\d\b',
    re.IGNORECASE,
)
"""Phrases of outage messages with status 200. They come from the E-utilities (recorded answers;
biopython#3890), Solr behind HGNC, Ensembl, gnomAD's browser, and proxies."""


def is_web_page(start: bytes) -> bool:
    """Tell from the start of a body whether it is HTML, which no request expects.

    Such a page is a maintenance notice, a block page or the login page of a network.
    """
    return _WEB_PAGE.match(start[:EXCERPT_BYTES]) is not None


def no_answer(host: str, body: bytes, secrets: Iterable[str]) -> UpstreamUnavailable | None:
    """Return the exception for a body that is empty or a web page, with any status."""
    if not body.strip():
        return UpstreamUnavailable(host, UNAVAILABLE_SECONDS, "sent an empty body")
    if is_web_page(body):
        reason = f"sent a web page instead of an answer: {excerpt(body, secrets)}"
        return UpstreamUnavailable(host, UNAVAILABLE_SECONDS, reason)
    return None


def reported_outage(host: str, body: bytes, secrets: Iterable[str]) -> UpstreamUnavailable | None:
    """Return the exception for an unusable body that reports an outage of the service.

    Only short bodies are searched, because a long truncated answer may contain the same phrases.
    """
    if len(body) > _MAX_OUTAGE_BYTES or not _OUTAGE_WORDS.search(body):
        return None
    return UpstreamUnavailable(
        host, UNAVAILABLE_SECONDS, f"cannot answer now: {excerpt(body, secrets)}"
    )
