"""The checks of the upstream services. Each source defines its own probes."""

import asyncio
from urllib.parse import urlsplit

from app.annotation.sources import SOURCES
from app.annotation.sources.probe import HostProbe, SettingProbe
from app.annotation.upstream import BadAnswer
from app.core.checks import (
    Check,
    Finding,
    by_time,
    check,
    failed,
    is_timeout,
    ok,
    skipped,
    warning,
)
from app.core.errors import Wait
from app.doctor.context import Context

HOST_TIMEOUT = 2.3
"""Timeout of a request to a host, including the wait for its request budget, in seconds."""


async def _ask(context: Context, probe: HostProbe) -> Finding:
    if context.offline:
        return skipped("--offline")
    from app.doctor.checks.upstream.asking import Busy, OneTry

    connect = OneTry.of(context)
    setting = probe.host.setting.upper()
    at = urlsplit(connect.address(probe.host)).netloc
    again = f"just doctor --only upstream.{probe.host.name}"
    required = f"an answer from where {setting} points; HTTPS_PROXY where a proxy is needed"
    try:
        async with asyncio.timeout(context.within(HOST_TIMEOUT)):
            return ok(f"{at}: {await probe.ask(connect)}")
    except (TimeoutError, Busy) as error:
        had_time = context.within(HOST_TIMEOUT) - connect.waited >= context.answer_timeout
        if isinstance(error, TimeoutError) and had_time:
            late = failed(
                f"{at} does not answer",
                required=required,
                found=f"none in {context.within(HOST_TIMEOUT):g} s",
                remedy=again,
            )
        else:
            late = warning(
                f"{at} was not asked in time",
                required="a free place in its request budget",
                found=f"the budget was used up or paused for {connect.waited:.1f} s",
                remedy=again,
            )
        return by_time(late)
    except Wait as error:
        unusable = failed(
            f"{at} cannot be used now",
            required=required,
            found=getattr(error, "reason", str(error)),
            remedy=again,
        )
        return by_time(unusable) if is_timeout(error) else unusable
    except BadAnswer as error:
        return failed(
            f"{at} does not answer as expected",
            required="the format that the source reads; update this project if it has changed",
            found=str(error),
            remedy=again,
        )


def _of_host(probe: HostProbe) -> Check:
    async def run(context: Context) -> Finding:
        from app.annotation.settings import Settings

        assert isinstance(context.settings, Settings)
        of = [name for name, source in SOURCES.items() if probe in source.probes]
        if not set(of) & set(context.settings.enabled_sources):
            return skipped(f"DISABLED_SOURCES has {' and '.join(of)}")
        return await _ask(context, probe)

    waits = f"A run waits for `{probe.host.name}`."
    return check(
        f"upstream.{probe.host.name}",
        probe.title,
        symptom=f"{waits} {probe.symptom}".rstrip(),
        why=probe.why,
        needs=("config.valid", "config.network"),
    )(run)


def _of_settings(probe: SettingProbe) -> Check:
    async def run(context: Context) -> Finding:
        from app.doctor.checks.upstream.asking import OneTry

        connect = None if context.offline else lambda: OneTry.of(context)
        return await probe.look(context.settings, connect)

    return check(
        f"upstream.{probe.name}",
        probe.title,
        symptom=probe.symptom,
        why=probe.why,
        needs=("config.valid", "config.network"),
    )(run)


HOSTS = tuple(_of_host(probe) for source in SOURCES.values() for probe in source.probes)

CHECKS: tuple[Check, ...] = (
    *HOSTS,
    *(_of_settings(probe) for source in SOURCES.values() for probe in source.setting_probes),
)
