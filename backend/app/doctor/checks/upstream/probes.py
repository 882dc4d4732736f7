"""One small question for each upstream host, judged by what the sources judge answers with."""

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, Collection
from typing import Self

import httpx
from redis.exceptions import RedisError

from app.annotation.sources.base import Answer, Connector, Gene
from app.annotation.sources.clinvar.declaration import EUTILS, TOOL
from app.annotation.sources.clinvar.declaration import FILES as CLINVAR_FILES
from app.annotation.sources.clinvar.source import TABLE_FILE
from app.annotation.sources.clinvar.summaries import decode_release, decode_search
from app.annotation.sources.clinvar.table import REQUIRED
from app.annotation.sources.ensembl import REST as ENSEMBL
from app.annotation.sources.ensembl import Ensembl
from app.annotation.sources.hgnc import FILES as HGNC_FILES
from app.annotation.sources.hgnc import REST as HGNC
from app.annotation.sources.hgnc import Hgnc
from app.annotation.sources.hgnc_records import COMPLETE_SET, FIELDS
from app.annotation.upstream import BadAnswer, Host, Retries
from app.annotation.upstream.answers import EXCERPT_BYTES, failure, unreachable
from app.annotation.upstream.outages import no_answer
from app.annotation.upstream.retry import TryAgain
from app.core.errors import Wait
from app.core.redis.rate_limits import KEY, LocalRateLimiter, RateLimiter, RedisRateLimiter
from app.doctor.context import PATIENCE, Context

GENE = Gene(0, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
"""One that every source has."""

START = 65_536
"""Bytes of a bulk file in which its columns are named."""

BUDGET_SECONDS = 1.5
"""The longest wait for a place in a budget, that living workers use too."""

REDIS_SECONDS = 0.5
"""The longest wait for Redis; without it the one request is sent all the same."""


class Busy(Wait):
    """The workers' request budget has no place for the doctor now."""

    def __init__(self, budget: str, waited: float) -> None:
        super().__init__(budget, 60)
        self._waited = waited

    def __str__(self) -> str:
        return f"the budget is in full use, or paused, for more than {self._waited:g} s"


class _Budgets:
    """The workers' own budgets, so that to look is not to ask too often."""

    def __init__(self, context: Context) -> None:
        self._redis = context.redis()
        self._seconds = context.within(BUDGET_SECONDS)
        patience = context.within(REDIS_SECONDS)
        self._limiter = RedisRateLimiter(self._redis, patience=patience, call_timeout=patience)

    async def acquire(self, budget: str, rate: float) -> None:
        """Wait for a place, but not for long.

        A budget that nobody has used for a day has no state, and a worker that begins one waits
        for a whole window: one request before that is not one too many. Neither is waited for a
        Redis that is away, or refuses.

        Raises:
            Busy: there is no place.
        """
        try:
            async with asyncio.timeout(self._seconds):
                if await self._redis.exists(KEY.format(budget)):
                    await self._limiter.acquire(budget, rate)
        except TimeoutError:
            raise Busy(budget.partition(":")[0], self._seconds) from None
        except (RedisError, Wait):
            return

    async def pause(self, budget: str, seconds: float) -> None:
        """Pass it on: a refusal is everybody's, if Redis can be told."""
        with contextlib.suppress(RedisError, Wait):
            await self._limiter.pause(budget, seconds)


class OneTry(Connector):
    """Connects sources to hosts that are asked once, and not for long."""

    @property
    def retries(self) -> Retries:
        """None: one try of each kind."""
        return Retries(refused=1, fault=1, cut=1, body=1)

    @classmethod
    def of(cls, context: Context) -> Self:
        """Connect as the settings say."""
        limiter: RateLimiter = LocalRateLimiter(window=0)
        if context.settings.use_arq_worker:
            limiter = _Budgets(context)
        http = context.http()
        # without it HGNC answers XML (https://www.genenames.org/help/rest/)
        http.headers["Accept"] = "application/json"
        return cls(context.settings, limiter, http, context.within(PATIENCE))

    async def start_of(self, host: Host, url: str) -> bytes:
        """Return the first bytes of a file.

        Raises:
            BadAnswer, UpstreamUnavailable, Busy: there is none.
        """
        await self.limiter.acquire(host.budget(None), host.rate)
        wanted = {"Range": f"bytes=0-{START - 1}", "Accept-Encoding": "identity"}
        body = b""
        try:
            async with (
                asyncio.timeout(self.try_seconds),
                self.http.stream("GET", url, headers=wanted) as response,
            ):
                enough = START if response.is_success else EXCERPT_BYTES
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) >= enough:
                        break
        except (httpx.TransportError, TimeoutError) as error:
            away = unreachable(host.name, error, ())
            raise (away.outcome if isinstance(away, TryAgain) else away) from error
        if not response.is_success:
            found = failure(host.name, response, body, ())
            raise found.outcome if isinstance(found, TryAgain) else found
        if (nothing := no_answer(host.name, body, ())) is not None:
            raise nothing
        return body


async def _ncbi(connect: OneTry) -> str:
    upstream = connect.upstream(
        EUTILS, connect.settings.ncbi_eutils_url, rate=connect.settings.ncbi_rate
    )
    form: dict[str, str | int] = {
        "db": "clinvar",
        "retmode": "json",
        "term": f'"{GENE.symbol}"[gene]',
        "usehistory": "y",
        "retmax": 0,
    }
    found = await upstream.request(
        "POST", "esearch.fcgi", data=_identity(connect) | form, decode=decode_search
    )
    return f"{found.found:,} variants of {GENE.symbol}"


async def try_key(connect: OneTry, key: str) -> None:
    """Ask the E-utilities something with an API key.

    Raises:
        UserError: NCBI does not know it.
        BadAnswer, Wait: it could not be found out.
    """
    upstream = connect.upstream(
        EUTILS, connect.settings.ncbi_eutils_url, rate=connect.settings.ncbi_rate, key=key
    )
    query = _identity(connect) | {"api_key": key, "db": "clinvar", "retmode": "json"}
    await upstream.request("GET", "einfo.fcgi", params=query, decode=decode_release)


def _identity(connect: OneTry) -> dict[str, str | int]:
    said: dict[str, str | int] = {"tool": TOOL}
    if connect.settings.ncbi_email:
        said["email"] = connect.settings.ncbi_email
    return said


async def _clinvar_files(connect: OneTry) -> str:
    url = f"{connect.settings.clinvar_files_url}/{TABLE_FILE}"
    packed = await connect.start_of(CLINVAR_FILES, url)
    try:
        start = zlib.decompressobj(wbits=31).decompress(packed, START)
    except zlib.error as error:
        raise BadAnswer(f"{TABLE_FILE} is no gzip file: {error}") from error
    return _columns(TABLE_FILE, start, REQUIRED)


async def _hgnc_files(connect: OneTry) -> str:
    url = f"{connect.settings.hgnc_files_url}/{COMPLETE_SET}"
    return _columns(COMPLETE_SET, await connect.start_of(HGNC_FILES, url), FIELDS)


def _columns(name: str, start: bytes, required: Collection[str]) -> str:
    header = start.partition(b"\n")[0].decode("utf-8", "replace").strip("#\r").split("\t")
    missing = [column for column in required if column not in header]
    if missing:
        raise BadAnswer(f"{name} has no column {', '.join(missing)}")
    return f"{name.rpartition('/')[2]} has its columns"


async def _ensembl(connect: OneTry) -> str:
    return _said((await Ensembl(connect).annotate([GENE]))[0])


async def _hgnc(connect: OneTry) -> str:
    return _said((await Hgnc(connect).annotate([GENE]))[0])


def _said(answer: Answer) -> str:
    if answer.state == "unknown":
        raise BadAnswer(answer.reason or "no reason given")
    return f"{GENE.symbol} is {answer.state}"


PROBES: dict[str, Callable[[OneTry], Awaitable[str]]] = {
    EUTILS.name: _ncbi,
    CLINVAR_FILES.name: _clinvar_files,
    ENSEMBL.name: _ensembl,
    HGNC.name: _hgnc,
    HGNC_FILES.name: _hgnc_files,
}
"""By the name of the host: what it is asked, and what it said."""
