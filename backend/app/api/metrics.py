"""Metrics for Prometheus, queried at each scrape. This process keeps no counters of its own."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from app import __version__
from app.annotation.refresh.coverage import Coverage
from app.annotation.sources import SOURCES
from app.api.errors import refusals
from app.api.families import PREFIX, counter, counter_by, gauge, gauge_by, histogram, histogram_by
from app.api.health import redis_answers
from app.api.services import ServicesDep
from app.api.shared_query import Unavailable
from app.api.statistics import Statistics
from app.core.runs.events import Event
from app.core.runs.filters import STATES
from app.core.runs.totals import ENDS, EventTotals, SourceTotals
from app.core.workers.metrics import EngineStatistics, RunStatistics

logger = logging.getLogger(__name__)

T = TypeVar("T")

KINDS = ("arq", "api")

_PARAMETER = re.compile(r"((?:version|escaping)\s*=[^;,]*)")
_KNOWN = re.compile(
    r"version=[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}|escaping=(allow-utf-8|underscores|dots|values)"
)

router = APIRouter(tags=["health"])


class Scrape(Collector):
    """The metrics of one scrape, in the form of Prometheus' library.

    Args:
        statistics: the statistics of the engine; None if PostgreSQL is unavailable.
        coverage: the coverage by source; None if PostgreSQL is unavailable.
        redis: whether Redis answers; None if it is not used.
    """

    def __init__(
        self,
        statistics: Statistics | None,
        coverage: Mapping[str, Coverage] | None,
        *,
        redis: bool | None,
    ) -> None:
        self._statistics = statistics
        self._coverage = coverage
        self._redis = redis

    def collect(self) -> Iterator[Metric]:
        """Yield every metric. A state, kind or source without a value has 0 and is not missing."""
        build = GaugeMetricFamily(
            f"{PREFIX}build_info", "Always 1, with the version as a label.", labels=["version"]
        )
        build.add_metric([__version__], 1)
        yield build
        yield gauge("postgresql_up", "Whether PostgreSQL answers.", self._statistics is not None)
        if self._redis is not None:
            yield gauge("redis_up", "Whether Redis answers.", self._redis)
        if self._statistics is not None:
            yield from _engine(self._statistics.engine)
            yield gauge(
                "schedules_overdue",
                "Overdue schedules: a tick is due and no worker has executed it.",
                self._statistics.overdue,
            )
            yield gauge_by(
                "schedule",
                "schedule_failed",
                "Whether the last tick of a schedule failed or was refused. Skipped ticks do not"
                " count.",
                {schedule.name: float(schedule.failing) for schedule in self._statistics.ends},
            )
            yield from _sources(self._statistics)
            if self._coverage is not None:
                yield from _annotations(self._coverage)


@router.get(
    "/metrics",
    summary="Return the metrics",
    response_description="The metrics in Prometheus' text format",
    response_class=PlainTextResponse,
    responses=refusals({503: "The API is too busy to find out whether PostgreSQL answers"}),
)
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Return the metrics; if PostgreSQL is unavailable, only those that do not come from it."""
    probes = services.probes
    statistics, coverage, redis = await asyncio.gather(
        _if_available(probes.statistics()), _if_available(probes.coverage()), redis_answers(probes)
    )
    encode, content_type = choose_encoder(_readable(request.headers.get("accept", "")))
    return Response(encode(Scrape(statistics, coverage, redis=redis)), media_type=content_type)


def _readable(accept: str) -> str:
    """Return the ``Accept`` header, or an empty string if Prometheus' library would fail with it.

    The library accepts any version and any escaping scheme, and fails later (prometheus-client
    0.26, ``choose_encoder``).
    """
    given = _PARAMETER.findall(accept)
    return accept if all(_KNOWN.fullmatch(name.strip()) for name in given) else ""


async def _if_available(query: Awaitable[T]) -> T | None:
    try:
        return await query
    except Unavailable as error:
        logger.warning("PostgreSQL is unavailable, so this scrape lacks some metrics: %s", error)
        return None


def _engine(engine: EngineStatistics) -> Iterable[Metric]:
    none = RunStatistics(0, None, None)
    runs = {state: engine.runs.get(state, none) for state in STATES}
    running = runs["running"]
    alive = {kind: engine.workers.get(kind, 0) for kind in KINDS}
    return (
        gauge_by(
            "kind",
            "workers_alive",
            "Workers that are alive: they hold their lock and send heartbeats.",
            alive,
        ),
        gauge_by(
            "state", "runs", "Runs by state.", {state: known.runs for state, known in runs.items()}
        ),
        gauge("queue_depth", "Queued runs.", runs["queued"].runs),
        gauge(
            "queue_oldest_waiting_seconds",
            "Age of the oldest queued run.",
            engine.oldest_waiting,
        ),
        gauge_by(
            "waiting_for",
            "runs_waiting",
            "Queued runs that wait for something other than a free worker, such as an upstream.",
            engine.waiting,
        ),
        gauge(
            "running_oldest_seconds",
            "Time since the first start of the oldest running run.",
            running.age or 0,
        ),
        gauge(
            "running_idle_seconds",
            "Longest time for which a running run has made no progress.",
            running.idle or 0,
        ),
        *_events(engine.events),
        *_upstreams(engine.sources),
    )


def _events(events: EventTotals) -> Iterable[Metric]:
    count, took = events.counts, events.durations
    return (
        counter(
            "attempts_failed",
            "Failed attempts that were followed by another attempt.",
            count[Event.ATTEMPT_FAILED] + count[Event.TIMED_OUT],
        ),
        counter("attempts_lost", "Attempts whose worker died.", count[Event.LOST]),
        counter(
            "attempts_interrupted",
            "Attempts that ended because their worker was stopped cleanly.",
            count[Event.INTERRUPTED],
        ),
        counter_by(
            "state",
            "runs_ended",
            "Ended runs, by state. A run that is retried counts again when it ends.",
            {event: count[event] for event in (Event.SUCCEEDED, Event.FAILED, Event.CANCELLED)},
        ),
        histogram(
            "recovery_seconds",
            "Recovery time: from the loss of a worker until another one takes over its run.",
            took[Event.TAKEN_OVER],
        ),
        histogram(
            "queue_seconds",
            "Time in the queue: from when a run is ready, not before `not_before`, until a worker"
            " claims it. A run that is taken over counts as a recovery instead.",
            took[Event.CLAIMED],
        ),
        histogram_by(
            "outcome",
            "attempt_seconds",
            "Duration of attempts, by how they ended.",
            {event: took[event] for event in ENDS},
        ),
    )


def _upstreams(known: Mapping[str, SourceTotals]) -> Iterable[Metric]:
    none = SourceTotals()
    totals = {source: known.get(source, none) for source in [*SOURCES, *sorted(known)]}
    return (
        counter_by(
            "source",
            "upstream_requests",
            "Requests to the upstream services, by source.",
            {source: total.requests for source, total in totals.items()},
        ),
        counter_by(
            "source",
            "upstream_rate_limited",
            "Answers with the status 429, by source: the service had too many requests.",
            {source: total.rate_limited for source, total in totals.items()},
        ),
        counter_by(
            "source",
            "upstream_budget_wait_seconds",
            "Time that requests have waited for the request budget, by source. Requests that wait"
            " at the same time all count.",
            {source: total.budget_seconds for source, total in totals.items()},
        ),
        counter_by(
            "source",
            "upstream_received_bytes",
            "Bytes received in bodies, by source. Most bodies are compressed.",
            {source: total.bytes_received for source, total in totals.items()},
        ),
        histogram_by(
            "source",
            "batch_commit_seconds",
            "Duration of the transaction that commits a batch of answers, by source.",
            {source: total.commits for source, total in totals.items()},
        ),
    )


def _sources(statistics: Statistics) -> Iterable[Metric]:
    known = [*SOURCES, *statistics.last_successes, *statistics.held]
    return (
        gauge("genes", "Genes to annotate.", statistics.genes),
        gauge_by(
            "source",
            "source_freshness_seconds",
            "Age at which an answer becomes stale if the current release is not known.",
            {name: source.info.freshness.total_seconds() for name, source in SOURCES.items()},
        ),
        gauge_by(
            "source",
            "source_last_success_timestamp_seconds",
            "Time at which a run last completed a source.",
            statistics.last_successes,
        ),
        gauge_by(
            "source",
            "source_held",
            "Whether the latest answers of a source look wrong and are held.",
            {source: float(source in statistics.held) for source in known},
        ),
    )


def _annotations(known: Mapping[str, Coverage]) -> Iterable[Metric]:
    sources = [*SOURCES, *(known.keys() - SOURCES.keys())]
    by_state = GaugeMetricFamily(
        f"{PREFIX}annotations",
        "Genes by the last good answer of each source. It may be two minutes old, like"
        " all metrics of annotations.",
        labels=["source", "state"],
    )
    for source in sources:
        for state in ("found", "absent", "unknown"):
            by_state.add_metric([source, state], getattr(known.get(source), state, 0))
    return (
        by_state,
        gauge_by(
            "source",
            "annotations_unanswered",
            "Genes whose last check was unknown; an earlier answer is kept.",
            {source: getattr(known.get(source), "unanswered", 0) for source in sources},
        ),
        gauge_by(
            "source",
            "annotations_oldest_check_timestamp_seconds",
            "Time of the oldest check of a gene.",
            {source: coverage.oldest for source, coverage in known.items()},
        ),
        gauge_by(
            "source",
            "annotations_median_check_timestamp_seconds",
            "Median time of the checks of the genes.",
            {source: coverage.median for source, coverage in known.items()},
        ),
    )
