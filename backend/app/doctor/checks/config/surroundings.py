"""What the environment names besides the settings, and the folder of bulk files."""

import asyncio
import os

from app.core.errors import UserError
from app.doctor.check import Finding, check, failed, ok
from app.doctor.checks.config.edits import take_default
from app.doctor.context import Context

_NAMES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"),
)


@check(
    "config.network",
    "the variables for proxies and certificates can be used",
    symptom="The worker does not start: `the proxy in HTTPS_PROXY cannot be used`, or"
    " `SSL_CERT_FILE cannot be used`.",
    why="A worker does not start with a proxy, or a file of certificates, that it cannot use.",
    remedy="unset HTTP_PROXY HTTPS_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR",
)
async def network(context: Context) -> Finding:
    """Build the way to the services, and send nothing."""
    if not any(context.environ.get(name) for each in _NAMES for name in (each, each.lower())):
        return ok("none is set")
    try:
        await asyncio.to_thread(_build)
    except UserError as error:
        name = next((word for word in error.found.split() if word.isupper()), "HTTPS_PROXY")
        return failed(
            error.found, required=error.allowed, found=error.found, remedy=f"unset {name}"
        )
    return ok("they can be used")


def _build() -> None:
    # the imports alone take a fifth of a second, in which other checks go on
    from httpx import Limits

    from app.annotation.upstream.network import way_out

    way_out(Limits())


@check(
    "config.cache-dir",
    "bulk files can be kept in CACHE_DIR",
    symptom="The worker does not start: `CACHE_DIR cannot be used`.",
    why="Without a folder for bulk files neither a worker starts nor are genes imported.",
    needs=("config.valid",),
    remedy="${EDITOR:-vi} .env",
)
async def cache_dir(context: Context) -> Finding:
    """Look at the folder, or at the one in which it would be made."""
    folder = context.settings.cache_dir
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return ok(f"{folder} can be written to" if there == folder else f"{folder} can be made")
    return failed(
        f"CACHE_DIR cannot be used: {folder}",
        required="a folder that this user may write to, or may make",
        found=f"{there} is no folder" if there.is_file() else f"this user may not write to {there}",
        remedy=take_default(context, "CACHE_DIR"),
    )
