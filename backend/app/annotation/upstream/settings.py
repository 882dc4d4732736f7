"""The settings of the HTTP client, and the types of the settings that a source declares."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from app.core.config import Settings
from app.core.process.checkout import ROOT

_NOT_ALLOWED_IN_A_URL = re.compile(r"[\s?#]")


def _checked_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    # The client appends paths, so a query is invalid. A trailing blank would be invisible.
    if not usable or _NOT_ALLOWED_IN_A_URL.search(value):
        message = "an address: https://host/path, or https://host:port/path"
        raise ValueError(message)
    return value.rstrip("/")


HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+"), AfterValidator(_checked_url)]
"""The address of a service, without a trailing slash."""

RequestRate = Annotated[float, Field(gt=0, le=100_000)]
"""Requests a second."""


class UpstreamSettings(Settings):
    """The settings of the engine, and those of requests to any upstream service."""

    cache_dir: Path = Field(
        ROOT / ".run" / "cache", json_schema_extra={"section": "Servers and files"}
    )
    """The folder for the sources' bulk files. A relative path begins at the checkout, `~` is the
    home folder, and `$` is not allowed. The files need about 1 GB, and the largest needs twice its
    500 MB while a newer version is downloaded."""

    upstream_backoff: float = Field(
        0.5, gt=0, le=60, json_schema_extra={"section": "Requests to upstream services"}
    )
    """Seconds before a failed request is retried. The time doubles with each further retry and has
    jitter."""

    upstream_timeout: float = Field(30.0, gt=0, le=3_600)
    """Seconds to wait for the answer of an upstream service."""

    contact_email: str | None = Field(None, pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$")
    """Your e-mail address, which every request names in the header `User-Agent`, so that a service
    can write to you before it blocks this installation. PanelApp Australia asks for it."""

    @field_validator("cache_dir")
    @classmethod
    def _from_the_top(cls, value: Path) -> Path:
        if "$" in str(value):
            message = "a path without $, which only a shell replaces; ~ is the home folder"
            raise ValueError(message)
        try:
            return ROOT / value.expanduser()
        except RuntimeError:
            message = "a path, or ~ or ~name for the home folder of a user that exists"
            raise ValueError(message) from None
