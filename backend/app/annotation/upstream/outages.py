"""Recognizes a service that is down although its status is 200.

Such a request is not repeated at once, and its batch is not halved: the run waits.
"""

import re
from collections.abc import Iterable

from app.annotation.upstream.answers import EXCERPT_BYTES, RETRY_SECONDS, excerpt
from app.annotation.upstream.errors import UpstreamUnavailable

# A comment can end in one place only, so that the regular expression does not backtrack over many
# comments. Possessive quantifiers would do the same, but fail before Python 3.11.5
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
"""The words with which services that are down answer 200: the E-utilities (recorded answers;
biopython#3890), Solr behind HGNC, Ensembl, gnomAD's browser, and proxies."""


def is_web_page(start: bytes) -> bool:
    """Tell whether a body is HTML, which is never what was asked for, from its start.

    Such a page is a notice of maintenance, a block page, or a network's login.
    """
    return _WEB_PAGE.match(start[:EXCERPT_BYTES]) is not None


def no_answer(host: str, body: bytes, secrets: Iterable[str]) -> UpstreamUnavailable | None:
    """Return the exception for a body that is empty or a web page, whatever its status is."""
    if not body.strip():
        return UpstreamUnavailable(host, RETRY_SECONDS, "sent an empty body")
    if is_web_page(body):
        reason = f"sent a web page instead of an answer: {excerpt(body, secrets)}"
        return UpstreamUnavailable(host, RETRY_SECONDS, reason)
    return None


def reported_outage(host: str, body: bytes, secrets: Iterable[str]) -> UpstreamUnavailable | None:
    """Return the exception for an unusable body that says that the service is down.

    Only a short body is searched, because a long answer that was cut off may contain these words.
    """
    if len(body) > _MAX_OUTAGE_BYTES or not _OUTAGE_WORDS.search(body):
        return None
    return UpstreamUnavailable(host, RETRY_SECONDS, f"cannot answer now: {excerpt(body, secrets)}")
