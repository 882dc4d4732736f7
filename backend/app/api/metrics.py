"""Numbers for Prometheus, read anew at each scrape; nothing is counted in this process."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app import __version__
from app.annotation.sources import SOURCES
from app.api.errors import refusals
from app.api.health import redis_answers
from app.api.numbers import Numbers
from app.api.probes import Probes
from app.api.question import Away
from app.api.services import Uses
from app.core.workers.metrics import EngineNumbers, RunNumbers

logger = logging.getLogger(__name__)

PREFIX = "kidney_genetics_"

KINDS = ("arq", "api")
STATES = ("queued", "running", "succeeded", "failed", "cancelled")

_PARAMETER = re.compile(r"((?:version|escaping)\s*=[^;,]*)")
_KNOWN = re.compile(
    r"version=[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}|escaping=(allow-utf-8|underscores|dots|values)"
)

router = APIRouter(tags=["health"])


class Scrape(Collector):
    """What one scrape is answered, as Prometheus' own library takes it.

    Args:
        numbers: None when PostgreSQL is away.
        redis: whether Redis answers; None where it is not used.
    """

    def __init__(self, numbers: Numbers | None, *, redis: bool | None) -> None:
        self._numbers = numbers
        self._redis = redis

    def collect(self) -> Iterator[Metric]:
        """Yield every metric: a state, kind or source that has nothing yet is 0, not missing."""
        build = GaugeMetricFamily(f"{PREFIX}build_info", "Always 1.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield _gauge("postgresql_up", "Whether PostgreSQL answers.", self._numbers is not None)
        if self._redis is not None:
            yield _gauge("redis_up", "Whether Redis answers.", self._redis)
        if self._numbers is not None:
            yield from _engine(self._numbers.engine)
            yield from _annotations(self._numbers)


@router.get(
    "/metrics",
    summary="Give Prometheus its numbers",
    response_description="The metrics, in Prometheus' text format",
    response_class=PlainTextResponse,
    responses=refusals({503: "The API is too busy to see whether PostgreSQL answers"}),
)
async def metrics(request: Request, uses: Uses) -> Response:
    """Answer a scrape; when PostgreSQL is away, say so and leave out what only it knows."""
    numbers, redis = await asyncio.gather(_numbers(uses.probes), redis_answers(uses.probes))
    encode, content_type = choose_encoder(_readable(request.headers.get("accept", "")))
    return Response(encode(Scrape(numbers, redis=redis)), media_type=content_type)


def _readable(accept: str) -> str:
    """Return what a client accepts, or nothing when Prometheus' library would stumble over it.

    It takes any version and any way of escaping at its word, and fails later (prometheus-client
    0.26, ``choose_encoder``).
    """
    given = _PARAMETER.findall(accept)
    return accept if all(_KNOWN.fullmatch(each.strip()) for each in given) else ""


async def _numbers(probes: Probes) -> Numbers | None:
    try:
        return await probes.numbers()
    except Away as error:
        logger.warning("no metrics, PostgreSQL is away: %s", error)
        return None


def _engine(engine: EngineNumbers) -> Iterable[Metric]:
    none = RunNumbers(0, 0, 0, 0, None, None)
    runs = {state: engine.runs.get(state, none) for state in STATES}
    running = runs["running"]
    alive = {kind: engine.workers.get(kind, 0) for kind in KINDS}
    return (
        _by("kind", "workers_alive", "Workers that hold their lock and beat.", alive),
        _by("state", "runs", "Runs.", {state: each.runs for state, each in runs.items()}),
        _gauge("queue_depth", "Queued runs.", runs["queued"].runs),
        _gauge(
            "queue_oldest_waiting_seconds",
            "For how long the queued run has waited that has waited longest.",
            engine.oldest_waiting,
        ),
        _by(
            "waiting_for",
            "runs_waiting",
            "Queued runs that wait for something else than a free worker.",
            engine.waiting,
        ),
        _gauge(
            "running_oldest_seconds",
            "Since the first start of the running run that was started first.",
            running.age or 0,
        ),
        _gauge(
            "running_idle_seconds",
            "Since a running run last committed something, of the one that is idle longest.",
            running.idle or 0,
        ),
        _counter(
            "attempts_failed",
            "Attempts that failed and were followed by another.",
            sum(each.failures for each in runs.values()),
        ),
        _counter(
            "attempts_lost",
            "Attempts whose worker died.",
            sum(each.losses for each in runs.values()),
        ),
        _counter(
            "attempts_interrupted",
            "Attempts that a clean stop of their worker ended.",
            sum(each.interruptions for each in runs.values()),
        ),
    )


def _annotations(numbers: Numbers) -> Iterable[Metric]:
    known = numbers.coverage
    sources = [*SOURCES, *(known.keys() - SOURCES.keys())]
    by_state = GaugeMetricFamily(
        f"{PREFIX}annotations",
        "Genes by the last good answer of a source.",
        labels=["source", "state"],
    )
    for source in sources:
        for state in ("found", "absent", "unknown"):
            by_state.add_metric([source, state], getattr(known.get(source), state, 0))
    return (
        _gauge("genes", "Genes to annotate.", numbers.genes),
        by_state,
        _by(
            "source",
            "annotations_unanswered",
            "Genes whose last check could not find out; an earlier answer may stand.",
            {source: getattr(known.get(source), "unanswered", 0) for source in sources},
        ),
        _by(
            "source",
            "annotations_oldest_check_timestamp_seconds",
            "When the gene was checked that was checked the longest time ago.",
            {source: each.oldest for source, each in known.items()},
        ),
        _by(
            "source",
            "annotations_median_check_timestamp_seconds",
            "When half of the annotated genes had been checked.",
            {source: each.median for source, each in known.items()},
        ),
        _by(
            "source",
            "source_last_success_timestamp_seconds",
            "When a run last got through a source.",
            numbers.succeeded,
        ),
    )


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, says, value=float(value))


def _counter(name: str, says: str, value: float) -> Metric:
    return CounterMetricFamily(PREFIX + name, says, value=value)


def _by(label: str, name: str, says: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, says, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family
