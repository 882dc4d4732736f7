from dataclasses import dataclass, field
from typing import Any, cast

import httpx
from pydantic import SecretStr

from app.annotation.sources import SOURCES
from app.annotation.sources.base import Connector, Source, SourceInfo
from app.annotation.upstream import Host, Upstream
from app.core.config import Settings
from app.core.redis.rate_limits import LocalRateLimiter
from reference.markdown import table

_DEFAULTS = Settings.model_construct()
"""The default settings, without the environment and `.env`."""

_named: dict[str, Any] = {
    name: SecretStr(name) if "Secret" in str(each.annotation) else name
    for name, each in Settings.model_fields.items()
}
_NAMES = Settings.model_construct(**_named)
"""The value of every setting is its name, which shows what a source uses each setting for."""


@dataclass(frozen=True, slots=True)
class _Use:
    host: Host
    url: str
    rate: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class _Recorder(Connector):
    """Connects to nothing, and records what it should have connected to."""

    uses: list[_Use] = field(default_factory=list)

    def upstream(
        self, host: Host, base_url: str, *, rate: Any = None, key: str | None = None, **_: Any
    ) -> Upstream:
        self.uses.append(_Use(host, base_url, rate, key))
        return cast("Upstream", None)


def sources() -> str:
    """Return a table of the sources, in the order in which a run asks them."""
    head = ("Source", "What it says", "Licence of its data", "Needs", "Fills")
    rows = (
        (
            _name(source.info),
            (source.__doc__ or "").split("\n\n")[0],
            f"[{source.info.licence}]({source.info.licence_url})",
            _columns(source.info.needs),
            _columns(source.info.provides),
        )
        for source in SOURCES.values()
    )
    return table(head, rows)


def refreshing() -> str:
    """Return a table of how each source is asked, and how often."""
    head = (
        "Source",
        "Genes in a batch",
        "Batches at a time",
        "Stays fresh",
        "Read from its bulk file",
    )
    return table(head, (_refreshing(source.info) for source in SOURCES.values()))


def hosts() -> str:
    """Return a table of the services that the sources ask."""
    head = (
        "Source", "Address", "Set by", "Requests a second", "At an address of your own", "At a time"
    )  # fmt: skip
    return table(
        head, (_host(source.info, use) for source in SOURCES.values() for use in _uses(source))
    )


def _refreshing(info: SourceInfo) -> tuple[str, ...]:
    batch = f"{info.batch_size:,}"
    if info.batch_weight != info.batch_size:
        batch += f", or fewer that weigh {info.batch_weight:,} together"
    bulk = "there is none"
    if info.bulk_threshold is not None:
        name = str(info.bulk_threshold(_NAMES)).upper()
        bulk = f"with more than {info.bulk_threshold(_DEFAULTS):,} genes to refresh (`{name}`)"
    return _name(info), batch, str(info.concurrency), f"{info.freshness.days} days", bulk


def _name(info: SourceInfo) -> str:
    return f"{info.title}: `{info.name}`"


def _host(info: SourceInfo, use: _Use) -> tuple[str, ...]:
    rate = f"{use.host.rate:g}"
    if use.host.rate_with_key is not None and use.key is not None:
        rate += f"; {use.host.rate_with_key:g} with `{use.key.upper()}`"
    return (
        info.title,
        f"`{getattr(_DEFAULTS, use.url)}`",
        f"`{use.url.upper()}`",
        rate,
        f"`{use.rate.upper()}`" if use.rate else "the same",
        str(use.host.concurrency),
    )


def _uses(source: type[Source]) -> list[_Use]:
    recorder = _Recorder(_NAMES, LocalRateLimiter(), cast("httpx.AsyncClient", None))
    source(recorder)
    return recorder.uses


def _columns(names: frozenset[str]) -> str:
    return ", ".join(f"`{each}`" for each in sorted(names)) or "nothing"
