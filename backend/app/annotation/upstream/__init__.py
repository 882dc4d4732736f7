"""The HTTP client of the sources. It keeps to each service's limits and distrusts its answers.

A source declares its services as :class:`Host` and gets an :class:`Upstream` for each from its
connector. Requests end with an answer, with :class:`BadAnswer`, or with a ``Wait``.

`bulk_files` reads downloaded files in a process of its own.
"""

from typing import TYPE_CHECKING, Any

from app.annotation.upstream.errors import BadAnswer, UpstreamUnavailable
from app.annotation.upstream.host import Host

if TYPE_CHECKING:
    from app.annotation.upstream.cache import Download
    from app.annotation.upstream.cache_dir import usable_cache_dir
    from app.annotation.upstream.client import TRY_SECONDS, Upstream
    from app.annotation.upstream.http import new_http_client, user_agent
    from app.annotation.upstream.retry import Retries

# A source's declaration and its reader need none of these. httpx takes 0.1 s, and asyncio 0.05 s.
_LAZY = {
    "Download": "cache",
    "TRY_SECONDS": "client",
    "Retries": "retry",
    "Upstream": "client",
    "new_http_client": "http",
    "usable_cache_dir": "cache_dir",
    "user_agent": "http",
}

__all__ = [
    "TRY_SECONDS",
    "BadAnswer",
    "Download",
    "Host",
    "Retries",
    "Upstream",
    "UpstreamUnavailable",
    "bulk_files",
    "cache",
    "cache_dir",
    "errors",
    "host",
    "new_http_client",
    "release",
    "settings",
    "traffic",
    "unused_files",
    "usable_cache_dir",
    "user_agent",
]
"""The names and modules that others may use."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
