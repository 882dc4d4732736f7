"""All settings of a process that uses sources: the engine's, the client's and the sources'.

Each source declares its settings. This module combines them, so no other code names them.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model, field_validator

from app.annotation.sources import SOURCES
from app.annotation.sources.base import ApiSource, FileSource, Source
from app.annotation.sources.thresholds import Thresholds
from app.annotation.upstream.settings import HttpUrl, RequestRate, UpstreamSettings
from app.core.notify.channels.settings import ChannelSettings
from app.core.notify.rules import RuleSettings
from app.core.process.checkout import ROOT
from app.core.process.env_file import load_settings as load
from app.core.retention.settings import MAX_DAYS, RetentionSettings
from app.core.retention.settings import SECTION as KEPT

SECTION = "Upstream services: one address each, so that a mirror or the sandbox can replace it"

NONE = "none"
"""The value of an empty list. An empty variable means the default."""


def _fields() -> dict[str, Any]:
    """Return the settings derived from the sources' declarations."""
    hosts = {host.name: host for source in SOURCES.values() for host in source.info.hosts}
    found: dict[str, Any] = {}
    for host in hosts.values():
        found[host.setting] = (HttpUrl, _field(host.url, f"{host.title}."))
    for host in hosts.values():
        if host.rate_setting is not None:
            meaning = (
                f"The rate limit of `{host.setting.upper()}` in requests a second, if it is not the"
                " address of the public service."
            )
            found[host.rate_setting] = (RequestRate | None, _field(None, meaning))
    for source in SOURCES.values():
        if source.info.bulk_threshold is not None:
            title = source.info.title
            meaning = (
                f"If more genes than this are due, {title} is read from its bulk file instead of"
                " its API."
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

    class _Composed(Thresholds, ChannelSettings): ...
else:
    _Composed = create_model(
        "_Composed", __base__=(*_declared(), Thresholds, ChannelSettings), **_fields()
    )


class Settings(_Composed, RetentionSettings, RuleSettings):
    """Everything that can be set, from the environment or the `.env` at the top of the checkout.

    The environment takes precedence over `.env`, and `.env` over what `make hybrid-up` wrote.
    """

    disabled_sources: str = Field(
        ",".join(name for name, source in SOURCES.items() if source.info.off_by_default) or NONE,
        json_schema_extra={"section": "Disabled sources"},
    )
    """Sources that a run of all sources leaves out, separated by commas, or `none`. A run that
    names such a source still queries it. By default, these are the sources whose licence is
    unclear."""

    history_days: int | None = Field(None, ge=1, le=MAX_DAYS, json_schema_extra={"section": KEPT})
    """Days after which a replaced answer is removed from the history, counted from its replacement.
    Empty: all are kept. An answer that was valid at a snapshot is never removed."""

    cache_days: int = Field(30, ge=1, le=MAX_DAYS)
    """Days after its last use until a file in `CACHE_DIR` is removed if no source reads it any
    more, for example because its address has changed."""

    @property
    def enabled_sources(self) -> list[str]:
        """The sources that a run of all sources covers, in the order in which they run."""
        disabled = _names(self.disabled_sources)
        return [name for name in SOURCES if name not in disabled]

    @field_validator("disabled_sources")
    @classmethod
    def _of_sources(cls, value: str) -> str:
        names = _names(value)
        if not names <= SOURCES.keys() or names == SOURCES.keys():
            message = f"{NONE}, or some of {', '.join(SOURCES)}, separated by commas"
            raise ValueError(message)
        return value


def _names(value: str) -> set[str]:
    return {name for each in value.split(",") if (name := each.strip()) not in {"", NONE}}


def load_settings(env_file: Path = ROOT / ".env") -> Settings:
    """Read the settings and check all of them.

    Raises:
        WrongUse: some settings are wrong. The error lists all of them: the variable, the value
            found, and what is allowed.
    """
    return load(Settings, env_file)


@cache
def get_settings() -> Settings:
    """Return the settings of this process. They are read once.

    Raises:
        WrongUse: see :func:`load_settings`.
    """
    return load_settings()


def reads_file(source: Source, due: int, settings: UpstreamSettings) -> bool:
    """Tell whether a source answers from its file.

    Args:
        source: the source to refresh.
        due: the number of genes to refresh.
        settings: the settings, which have the threshold of a source that also asks a service.
    """
    if not isinstance(source, FileSource):
        return False
    if not isinstance(source, ApiSource) or source.info.bulk_threshold is None:
        return True
    threshold: int = getattr(settings, source.info.threshold_setting)
    return due > threshold
