"""All settings of a process that uses sources: the engine's, the client's and the sources'.

Each source declares its settings. This module puts them together, so that nothing else names them.
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
from app.core.config import load_settings as load
from app.core.notify.channels.settings import ChannelSettings
from app.core.notify.rules import RuleSettings
from app.core.process.checkout import ROOT
from app.core.retention.settings import MAX_DAYS, RetentionSettings
from app.core.retention.settings import SECTION as KEPT

SECTION = "Upstream services: an address each, so that a mirror or the sandbox can stand in"

NONE = "none"
"""The value of a list that has no members. An empty variable stands for the default."""


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

    class _Composed(Thresholds, ChannelSettings): ...
else:
    _Composed = create_model(
        "_Composed", __base__=(*_declared(), Thresholds, ChannelSettings), **_fields()
    )


class Settings(_Composed, RetentionSettings, RuleSettings):
    """Everything that can be set, from the environment or the `.env` at the top of the checkout.

    The environment wins over `.env`, and `.env` wins over what `make hybrid-up` wrote.
    """

    disabled_sources: str = Field(
        ",".join(name for name, source in SOURCES.items() if source.info.off_by_default) or NONE,
        json_schema_extra={"section": "Which sources a run of all sources covers"},
    )
    """Names of sources, separated by commas, that a run of all sources leaves out, or `none`. A run
    that names such a source still asks it. The default has the sources whose licence is unclear."""

    history_days: int | None = Field(None, ge=1, le=MAX_DAYS, json_schema_extra={"section": KEPT})
    """Days after which a former answer is removed from the history, counted from when another one
    replaced it. Empty: all are kept. What was valid at a snapshot is never removed."""

    cache_days: int = Field(30, ge=1, le=MAX_DAYS)
    """Days after its last use until a file in CACHE_DIR is removed that no source reads any more,
    such as a file of a former address or of a former version of this program. The files that the
    sources read stay."""

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
