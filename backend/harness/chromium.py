"""Starts Chromium, which looks at pages for tests and for pictures."""

import os
import shutil

from playwright.async_api import Browser, Playwright

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    *("--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
    # it asks nobody but the project's own server
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class NoChromium(Exception):
    """Chromium is not installed."""


def program() -> str | None:
    """Return the path of Chromium; None if it is not installed."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


async def launch(playwright: Playwright) -> Browser:
    """Start the Chromium of this machine.

    Raises:
        NoChromium: there is none.
    """
    path = program()
    if path is None:
        raise NoChromium(f"no Chromium: none of {', '.join(_PROGRAMS)} is installed")
    # its sandbox refuses to run as root
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(executable_path=path, args=[*_QUIET, *root])
