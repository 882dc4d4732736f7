from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from app.annotation.refresh.coverage import Coverage
from app.annotation.sources import SOURCES
from app.api.metrics import Scrape
from app.api.statistics import Statistics
from app.core.runs.totals import NO_EVENTS
from app.core.schedules.views import LastEnd
from app.core.workers.metrics import EngineStatistics
from reference.markdown import table

_SOURCE = next(iter(SOURCES))


def text() -> str:
    """Return a table of the metrics of `/metrics`."""
    head = ("metric", "type", "labels", "meaning")
    return table(head, (_row(metric) for metric in all_metrics()))


def all_metrics() -> Iterator[Metric]:
    """Yield the metrics of `/metrics`."""
    # includes one answer, for metrics that exist only with answers
    statistics = Statistics(
        EngineStatistics({}, {}, {"redis": 1}, 0.0, NO_EVENTS, {}),
        genes=0,
        last_successes={_SOURCE: 0.0},
        held=set(),
        overdue=0,
        ends=[LastEnd("nightly", "backup", None, None, failing=False)],
    )
    coverage = {_SOURCE: Coverage(0, 0, 0, 0, 0.0, 0.0)}
    return Scrape(statistics, coverage, redis=True).collect()


def labels_of(metric: Metric) -> list[str]:
    """Return the labels of a metric, without `le`, which every histogram has."""
    return sorted({label for sample in metric.samples for label in sample.labels} - {"le"})


def _row(metric: Metric) -> tuple[str, str, str, str]:
    suffix = "_total" if metric.type == "counter" else ""
    named = ", ".join(f"`{name}`" for name in labels_of(metric))
    return f"`{metric.name}{suffix}`", metric.type, named, metric.documentation
