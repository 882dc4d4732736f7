"""The doctor's probes of ClinVar and NCBI."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from app.annotation.sources.clinvar.declaration import (
    EUTILS,
    FILES,
    TABLE_FILE,
    ClinVarSettings,
    parameters,
)
from app.annotation.sources.clinvar.reader import REQUIRED
from app.annotation.sources.clinvar.summaries import decode_release, decode_search
from app.annotation.sources.connector import Connector
from app.annotation.sources.probe import HostProbe, SettingProbe
from app.annotation.sources.probing import GENE, has_columns
from app.annotation.upstream.errors import BadAnswer
from app.core.checks import Finding, failed, ok, skipped, warning
from app.core.errors import UserError, Wait

_NCBI = "ncbi.nlm.nih.gov"
_KEYS = "https://www.ncbi.nlm.nih.gov/account/settings/"

Connect = Callable[[], Connector] | None


async def _eutils(connect: Connector) -> str:
    # without the key, because another check reports a wrong key
    params = parameters(connect.settings_as(ClinVarSettings), None)
    upstream = connect.upstream(EUTILS, params=params, with_key=False)
    found = await upstream.request(
        "POST",
        "esearch.fcgi",
        data={
            "db": "clinvar",
            "retmode": "json",
            "term": f'"{GENE.symbol}"[gene]',
            "usehistory": "y",
            "retmax": 0,
        },
        decode=decode_search,
    )
    return f"{found.found:,} variants of {GENE.symbol}"


async def _files(connect: Connector) -> str:
    return await has_columns(connect, FILES, TABLE_FILE, REQUIRED)


def _is_ncbi(settings: ClinVarSettings) -> bool:
    address: str = getattr(settings, EUTILS.setting)
    return (urlsplit(address).hostname or "").endswith(_NCBI)


async def _key(settings: Any, connect: Connect) -> Finding:
    if settings.ncbi_api_key is None:
        if not _is_ncbi(settings):
            return ok("none is needed, because NCBI_EUTILS_URL is not NCBI itself")
        return warning(
            "there is no NCBI_API_KEY",
            required=f"a key, which is free: {_KEYS}",
            found="none: 3 requests a second instead of 10",
            remedy="echo NCBI_API_KEY=your-key >> .env",
        )
    if connect is None:
        return skipped("--offline: NCBI is not asked whether it accepts the key")
    return await _try_key(connect())


async def _try_key(connect: Connector) -> Finding:
    params = parameters(connect.settings_as(ClinVarSettings), connect.key(EUTILS))
    upstream = connect.upstream(EUTILS, params=params)
    query = {"db": "clinvar", "retmode": "json"}
    try:
        await upstream.request("GET", "einfo.fcgi", params=query, decode=decode_release)
    except UserError as error:
        return failed(
            "NCBI does not know the API key",
            required=f"a key of {_KEYS}, or none",
            found=error.found,
            remedy="sed -i '/^NCBI_API_KEY=/d' .env",
        )
    except (Wait, BadAnswer) as error:
        return skipped(f"NCBI could not be asked: {getattr(error, 'reason', error)}")
    return ok("NCBI accepts the key")


async def _email(settings: Any, _: Connect) -> Finding:
    email: str | None = settings.ncbi_email
    missing = warning(
        "there is no NCBI_EMAIL",
        required="an address that somebody reads",
        found="none",
        remedy="echo NCBI_EMAIL=you@example.org >> .env",
    )
    if email is None:
        if _is_ncbi(settings):
            return missing
        return ok("none is needed, because NCBI_EUTILS_URL is not NCBI itself")
    return ok("NCBI_EMAIL is set")


PROBES = (
    HostProbe(
        host=EUTILS,
        title="NCBI's E-utilities answer",
        why="Runs of ClinVar with few genes wait while the E-utilities do not answer.",
        ask=_eutils,
    ),
    HostProbe(
        host=FILES,
        title="ClinVar's bulk file has the columns that are read",
        symptom="A run fails at a column of ClinVar's file.",
        why="Runs of ClinVar with many genes wait for this file, and fail if its columns have"
        " changed.",
        ask=_files,
    ),
)

SETTING_PROBES = (
    SettingProbe(
        name="ncbi-key",
        title="NCBI knows the API key",
        symptom="ClinVar is slow, or its runs fail because NCBI does not know the API key.",
        why="Without a key, NCBI allows 3 requests a second instead of 10. If it does not know the"
        " key, it refuses every request, and runs of ClinVar fail.",
        look=_key,
    ),
    SettingProbe(
        name="ncbi-email",
        title="NCBI knows an e-mail address to write to",
        symptom="NCBI blocks this machine, and nobody was warned.",
        why="Before NCBI blocks a user who sends too many requests, it writes to the address in"
        " NCBI_EMAIL (https://www.ncbi.nlm.nih.gov/books/NBK25497/).",
        look=_email,
    ),
)
