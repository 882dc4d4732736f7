"""Whether the upstream services answer as the sources expect, and know who asks."""

import asyncio
from urllib.parse import urlsplit

from app.doctor.check import (
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
from app.doctor.context import Context

NCBI = "ncbi.nlm.nih.gov"

TIME = 2.3
"""Seconds that a host has, the wait for a place in its request budget included."""


async def _look(context: Context, host: str, setting: str) -> Finding:
    """Ask a host once, and judge the answer as its source does.

    Args:
        context: whose settings say where the host is.
        host: its name, as a source declares it.
        setting: of its address.
    """
    if context.offline:
        return skipped("--offline")
    # what sources are made of takes a fifth of a second to import
    from app.annotation.upstream import BadAnswer
    from app.core.errors import Wait
    from app.doctor.checks.upstream.probes import PROBES, Busy, OneTry

    at = urlsplit(getattr(context.settings, setting.lower())).netloc
    again = f"just doctor --only upstream.{host}"
    try:
        async with asyncio.timeout(context.within(TIME)):
            return ok(f"{at}: {await PROBES[host](OneTry.of(context))}")
    except TimeoutError:
        silent = failed(
            f"{at} does not answer",
            required=f"an answer from where {setting} points; HTTPS_PROXY where a proxy is needed",
            found=f"none in {context.within(TIME):g} s",
            remedy=again,
        )
        return by_time(silent)
    except Busy as error:
        full = warning(
            f"{at} was not asked",
            required="a free place in its request budget",
            found=str(error),
            remedy=again,
        )
        return by_time(full)
    except Wait as error:
        unusable = failed(
            f"{at} cannot be used now",
            required=f"an answer from where {setting} points; HTTPS_PROXY where a proxy is needed",
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


def _host(host: str, setting: str, title: str, symptom: str, why: str) -> Check:
    async def run(context: Context) -> Finding:
        return await _look(context, host, setting)

    name = f"upstream.{host}"
    return check(name, title, symptom=symptom, why=why, needs=("config.valid", "config.network"))(
        run
    )


HOSTS = (
    _host(
        "ncbi",
        "NCBI_EUTILS_URL",
        "NCBI's E-utilities answer",
        "A run waits for `ncbi`.",
        "Without the E-utilities ClinVar is not asked about single genes: its runs wait.",
    ),
    _host(
        "ncbi-files",
        "CLINVAR_FILES_URL",
        "ClinVar's bulk file has the columns that are read",
        "A run waits for `ncbi-files`, or fails at a column of ClinVar's file.",
        "Many genes are read from ClinVar's file; without it these runs wait, and with other"
        " columns they fail.",
    ),
    _host(
        "ensembl",
        "ENSEMBL_REST_URL",
        "Ensembl answers",
        "A run waits for `ensembl`.",
        "Without Ensembl the genes' places are not refreshed: these runs wait.",
    ),
    _host(
        "hgnc",
        "HGNC_REST_URL",
        "HGNC answers",
        "A run waits for `hgnc`.",
        "Without HGNC the genes' symbols and identifiers are not refreshed: these runs wait.",
    ),
    _host(
        "hgnc-files",
        "HGNC_FILES_URL",
        "HGNC's bulk file has the columns that are read",
        "A run waits for `hgnc-files`, or `just genes-import` cannot get HGNC's list.",
        "Many genes are read from HGNC's file, and so is the list of all genes.",
    ),
)


def _is_ncbi(context: Context) -> bool:
    return (urlsplit(context.settings.ncbi_eutils_url).hostname or "").endswith(NCBI)


@check(
    "upstream.ncbi-key",
    "NCBI knows the API key",
    symptom="ClinVar is slow, or its runs fail as NCBI does not know the API key.",
    why="Without a key NCBI allows 3 requests a second and not 10. With one that it does not know"
    " it refuses every request: ClinVar's runs fail.",
    needs=("config.valid", "config.network"),
)
async def ncbi_key(context: Context) -> Finding:
    """Ask something with the key."""
    key = context.settings.ncbi_api_key
    if key is None:
        if not _is_ncbi(context):
            return ok("none is needed: NCBI_EUTILS_URL is not NCBI itself")
        return warning(
            "there is no NCBI_API_KEY",
            required="a key, which is free: https://www.ncbi.nlm.nih.gov/account/settings/",
            found="none: 3 requests a second instead of 10",
            remedy="echo NCBI_API_KEY=your-key >> .env",
        )
    if context.offline:
        return skipped("--offline: there is one, and NCBI is not asked whether it knows it")
    return await _try_key(context, key.get_secret_value())


async def _try_key(context: Context, key: str) -> Finding:
    from app.annotation.upstream import BadAnswer
    from app.core.errors import UserError, Wait
    from app.doctor.checks.upstream.probes import OneTry, try_key

    try:
        await try_key(OneTry.of(context), key)
    except UserError as error:
        return failed(
            "NCBI does not know the API key",
            required="a key of https://www.ncbi.nlm.nih.gov/account/settings/, or none",
            found=error.found,
            remedy="sed -i '/^NCBI_API_KEY=/d' .env",
        )
    except (Wait, BadAnswer) as error:
        return skipped(f"it could not be asked: {getattr(error, 'reason', error)}")
    return ok("it is accepted")


@check(
    "upstream.ncbi-email",
    "NCBI knows whom to write to",
    symptom="NCBI blocks this machine, and nobody was warned.",
    why="NCBI tries to write to whom asks too much before it blocks them, which it cannot without"
    " NCBI_EMAIL (https://www.ncbi.nlm.nih.gov/books/NBK25497/).",
    needs=("config.valid",),
    remedy="echo NCBI_EMAIL=you@example.org >> .env",
)
async def ncbi_email(context: Context) -> Finding:
    """Look whether it is set."""
    if context.settings.ncbi_email:
        return ok("NCBI_EMAIL is set")
    if not _is_ncbi(context):
        return ok("none is needed: NCBI_EUTILS_URL is not NCBI itself")
    return warning("there is no NCBI_EMAIL", required="an address that is read", found="none")


CHECKS: tuple[Check, ...] = (*HOSTS, ncbi_key, ncbi_email)
