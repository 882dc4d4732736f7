"""Generates the Grafana dashboards from the metrics, with one panel for each metric."""

import json
from collections.abc import Iterator
from typing import Any

from prometheus_client.metrics_core import Metric

from app.api.families import PREFIX
from reference.metrics import all_metrics, labels_of

WIDTH, HEIGHT, COLUMNS = 8, 7, 3
"""A panel's size on Grafana's grid, which is 24 wide, and the panels in a row."""

SCHEMA_VERSION = 39
"""The schema version of Grafana 10.4, which later versions also read."""

_OF_DATA = ("genes", "annotations", "source_")
"""The prefixes of metrics about the data. All other metrics are about the operation."""

QUANTILES = (0.5, 0.95, 0.99)
"""The quantiles of a histogram. A histogram with labels shows only the second one for each
label."""

WINDOW = "1h"
"""The time window of counters and histograms."""

_SUFFIXES = {"counter": "_total", "histogram": "_bucket"}

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def operation() -> str:
    """Return the dashboard about workers, runs, the queue and the servers, as JSON."""
    return _dashboard("operation", "Kidney genetics: operation", of_data=False)


def data() -> str:
    """Return the dashboard about genes, annotations and sources, as JSON."""
    return _dashboard("data", "Kidney genetics: data", of_data=True)


def _dashboard(name: str, title: str, *, of_data: bool) -> str:
    chosen = [metric for metric in all_metrics() if _is_of_data(metric) == of_data]
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    ]
    if of_data:
        query = f"label_values({PREFIX}annotations, source)"
        variables.append(
            {
                "name": "source",
                "label": "Source",
                "type": "query",
                "datasource": _SOURCE,
                "query": query,
                "definition": query,
                "refresh": 2,
                "multi": True,
                "includeAll": True,
                "current": {"text": "All", "value": "$__all"},
            }
        )
    dashboard = {
        "uid": f"kidney-genetics-{name}",
        "title": title,
        "tags": ["kidney-genetics"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-7d" if of_data else "now-6h", "to": "now"},
        "templating": {"list": variables},
        "panels": list(_panels(chosen)),
    }
    return json.dumps(dashboard, indent=2) + "\n"


def _is_of_data(metric: Metric) -> bool:
    return metric.name.removeprefix(PREFIX).startswith(_OF_DATA)


def _panels(metrics: list[Metric]) -> Iterator[dict[str, Any]]:
    for place, metric in enumerate(metrics):
        row, column = divmod(place, COLUMNS)
        targets = list(_targets(metric))
        named = any(target["legendFormat"] != "__auto" for target in targets)
        yield {
            "id": place + 1,
            "type": "timeseries",
            "title": metric.documentation.partition(". ")[0].rstrip("."),
            "description": metric.name + _SUFFIXES.get(metric.type, ""),
            "datasource": _SOURCE,
            "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": _unit(metric), "min": 0}, "overrides": []},
            "options": {"legend": {"showLegend": named}, "tooltip": {"mode": "multi"}},
            "targets": targets,
        }


def _targets(metric: Metric) -> Iterator[dict[str, Any]]:
    labels = " ".join(f"{{{{{label}}}}}" for label in labels_of(metric))
    for letter, (expression, name) in zip("ABC", _queries(metric), strict=False):
        yield {
            "refId": letter,
            "datasource": _SOURCE,
            "expr": expression,
            "legendFormat": " ".join(filter(None, (labels, name))) or "__auto",
        }


def _queries(metric: Metric) -> Iterator[tuple[str, str]]:
    """Yield each query with the text of its legend.

    All API processes report the same values, so the maximum is used.
    """
    labels = labels_of(metric)
    name = metric.name + _SUFFIXES.get(metric.type, "")
    if _is_of_data(metric) and "source" in labels:
        name += '{source=~"$source"}'
    if metric.type == "histogram":
        each = f"max by ({', '.join([*labels, 'le'])}) (increase({name}[{WINDOW}]))"
        for quantile in QUANTILES[1:2] if labels else QUANTILES:
            yield f"histogram_quantile({quantile}, {each})", f"p{quantile * 100:.0f}"
        return
    value = f"increase({name}[{WINDOW}])" if metric.type == "counter" else name
    of_all = f"max by ({', '.join(labels)}) ({value})" if labels else f"max({value})"
    yield f"time() - {of_all}" if metric.name.endswith("_timestamp_seconds") else of_all, ""


def _unit(metric: Metric) -> str:
    return {"seconds": "s", "bytes": "bytes"}.get(metric.name.rpartition("_")[2], "short")
