"""Asking the upstream services, within their rules."""

from app.annotation.upstream.cache import Download
from app.annotation.upstream.cache_dir import usable_cache_dir
from app.annotation.upstream.client import TRY_SECONDS, Upstream
from app.annotation.upstream.errors import BadAnswer, UpstreamUnavailable
from app.annotation.upstream.host import Host
from app.annotation.upstream.http import new_http_client
from app.annotation.upstream.retry import Retries

__all__ = [
    "TRY_SECONDS",
    "BadAnswer",
    "Download",
    "Host",
    "Retries",
    "Upstream",
    "UpstreamUnavailable",
    "new_http_client",
    "usable_cache_dir",
]
