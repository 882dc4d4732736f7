"""All settings of a process that uses sources: the engine's, the client's and the sources'.

Each source declares its settings. This module puts them together, so that nothing else names them.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from app.annotation.sources import SOURCES
from app.annotation.sources.base import ApiSource, FileSource, Source
from app.annotation.upstream.settings import HttpUrl, RequestRate, UpstreamSettings
from app.core.config import load_settings as load
from app.core.process.checkout import ROOT

SECTION = "Upstream services: an address each, so that a mirror or the sandbox can stand in"


def _fields() -> dict[str, Any]:
    """Return the settings that follow from the sources' declarations."""
    hosts = {host.name: host for source in SOURCES.values() for host in source.info.hosts}
    found: dict[str, Any] = {}
    for host in hosts.values():
        found[host.setting] = (HttpUrl, _field(host.url, f"{host.title}."))
    for host in hosts.values():
        if host.rate_setting is not None:
            meaning = (
                f"Requests a second that `{host.setting.upper()}` allows, if it is not the address"
                " of the public service."
            )
            found[host.rate_setting] = (RequestRate | None, _field(None, meaning))
    for source in SOURCES.values():
        if source.info.bulk_threshold is not None:
            title = source.info.title
            meaning = (
                f"With more genes than this to refresh, {title} is read from its bulk file and"
                " not by API."
            )
            default = _field(source.info.bulk_threshold, meaning, ge=0)
            found[source.info.threshold_setting] = (int, default)
    return found


def _field(default: Any, description: str, **bounds: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"section": SECTION}, **bounds)


def _declared() -> Iterator[type[UpstreamSettings]]:
    for source in SOURCES.values():
        if source.info.settings is not None:
            yield source.info.settings


if TYPE_CHECKING:
    _Composed = UpstreamSettings
else:
    _Composed = create_model("_Composed", __base__=(*_declared(), UpstreamSettings), **_fields())


class Settings(_Composed):
    """Everything that can be set, from the environment or the `.env` at the top of the checkout.

    The environment wins over `.env`, and `.env` wins over what `make hybrid-up` wrote.
    """


def load_settings(env_file: Path = ROOT / ".env") -> Settings:
    """Read the settings and check all of them.

    Raises:
        WrongUse: with every problem at once: the variable, what was found, what is allowed.
    """
    return load(env_file, Settings)


@cache
def get_settings() -> Settings:
    """Return the settings of this process, which are read once.

    Raises:
        WrongUse: see :func:`load_settings`.
    """
    return load_settings()


def reads_file(source: Source, due: int, settings: UpstreamSettings) -> bool:
    """Tell whether a source answers from its file.

    Args:
        source: that is refreshed.
        due: the number of genes to refresh.
        settings: with the source's threshold, if it can also ask a service.
    """
    if not isinstance(source, FileSource):
        return False
    if not isinstance(source, ApiSource) or source.info.bulk_threshold is None:
        return True
    threshold: int = getattr(settings, source.info.threshold_setting)
    return due > threshold
