"""Starts Chromium, for tests and screenshots of pages."""

import os
import shutil

from playwright.async_api import Browser, Playwright

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    *("--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
    # allows requests to the project's own server only
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class NoChromium(Exception):
    """Chromium is not installed."""


def program() -> str | None:
    """Return the path of Chromium, or None if it is not installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


async def launch(playwright: Playwright) -> Browser:
    """Start the Chromium that is installed on this machine.

    Raises:
        NoChromium: Chromium is not installed.
    """
    path = program()
    if path is None:
        raise NoChromium(f"no Chromium: none of {', '.join(_PROGRAMS)} is installed")
    # Chromium's sandbox does not run as root
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(executable_path=path, args=[*_QUIET, *root])
