from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.base import ApiSource, FileSource, Source
from app.annotation.sources.declaration import SourceInfo
from app.annotation.upstream import Host
from reference.markdown import table


def sources() -> str:
    """Return a table of the sources in the order of the registry."""
    head = ("Source", "Data", "Licence", "Attribution", "Needs", "Fills")
    rows = (
        (
            _name(source.info),
            (source.__doc__ or "").split("\n\n", maxsplit=1)[0],
            f"[{source.info.licence}]({source.info.licence_url})",
            source.info.attribution,
            _columns(source.info.needs),
            _columns(source.info.provides),
        )
        for source in SOURCES.values()
    )
    return table(head, rows)


def refreshing() -> str:
    """Return a table of how and how often each source is asked."""
    head = (
        "Source",
        "Genes per batch",
        "Concurrent batches",
        "Stays fresh",
        "Bulk file is read",
    )
    return table(head, (_refreshing(source) for source in SOURCES.values()))


def hosts() -> str:
    """Return a table of the services that the sources ask."""
    head = (
        "Source",
        "Default address",
        "Setting",
        "Requests per second",
        "Rate of a mirror",
        "Concurrency",
    )
    return table(
        head,
        (_host(source.info, host) for source in SOURCES.values() for host in source.info.hosts),
    )


def _refreshing(source: type[Source]) -> tuple[str, ...]:
    info = source.info
    batch, concurrency = "none", "none"
    if issubclass(source, ApiSource):
        batch, concurrency = f"{info.batch_size:,}", str(info.concurrency)
        if info.batch_weight is not None:
            batch += f", or a weight of {info.batch_weight:,}"
    return _name(info), batch, concurrency, f"{info.freshness.days} days", _bulk(source)


def _bulk(source: type[Source]) -> str:
    if not issubclass(source, FileSource):
        return "never: there is none"
    if not issubclass(source, ApiSource):
        return "always"
    name = source.info.threshold_setting
    genes = Settings.model_fields[name].default
    return f"if more than {genes:,} genes are due (`{name.upper()}`)"


def _name(info: SourceInfo) -> str:
    return f"{info.title}: `{info.name}`"


def _host(info: SourceInfo, host: Host) -> tuple[str, ...]:
    rate = f"{host.rate:g}"
    if host.key_setting is not None:
        rate += f"; {host.rate_with_key:g} with `{host.key_setting.upper()}`"
    return (
        info.title,
        f"`{host.url}`",
        f"`{host.setting.upper()}`",
        rate,
        f"`{host.rate_setting.upper()}`" if host.rate_setting else "the same",
        str(host.concurrency),
    )


def _columns(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"
