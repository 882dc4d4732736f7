"""The dashboards for Grafana, from the metrics: one panel for each of them."""

import json
from collections.abc import Iterator
from typing import Any

from prometheus_client.metrics_core import Metric

from app.api.metrics import PREFIX
from reference.metrics import all_metrics

WIDTH, HEIGHT, COLUMNS = 8, 7, 3
"""A panel's size on Grafana's grid, which is 24 wide, and the panels in a row."""

SCHEMA_VERSION = 39
"""Of Grafana 10.4; later versions read it, too."""

_OF_DATA = ("genes", "annotations", "source_")
"""How the names of metrics about the data begin; all others are about the operation."""

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def operation() -> str:
    """Return the dashboard about workers, runs, the queue and the servers, as JSON."""
    return _dashboard("operation", "Kidney genetics: operation", of_data=False)


def data() -> str:
    """Return the dashboard about genes, annotations and sources, as JSON."""
    return _dashboard("data", "Kidney genetics: data", of_data=True)


def _dashboard(name: str, title: str, *, of_data: bool) -> str:
    chosen = [each for each in all_metrics() if _is_of_data(each) == of_data]
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
        unit, expression = _shown(metric)
        labels = _labels(metric)
        yield {
            "id": place + 1,
            "type": "timeseries",
            "title": metric.documentation.rstrip("."),
            "description": metric.name + ("_total" if metric.type == "counter" else ""),
            "datasource": _SOURCE,
            "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "options": {"legend": {"showLegend": bool(labels)}, "tooltip": {"mode": "multi"}},
            "targets": [
                {
                    "refId": "A",
                    "datasource": _SOURCE,
                    "expr": expression,
                    "legendFormat": " ".join(f"{{{{{label}}}}}" for label in labels) or "__auto",
                }
            ],
        }


def _shown(metric: Metric) -> tuple[str, str]:
    """Return the unit and the query. All API processes give the same values: one is enough."""
    labels = _labels(metric)
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    if "source" in labels:
        name += '{source=~"$source"}'
    of_all = f"max by ({', '.join(labels)}) ({name})" if labels else f"max({name})"
    if metric.type == "counter":
        return "short", f"max(increase({name}[1h]))"
    if metric.name.endswith("_timestamp_seconds"):
        return "s", f"time() - {of_all}"
    return ("s" if metric.name.endswith("_seconds") else "short"), of_all


def _labels(metric: Metric) -> list[str]:
    return sorted({label for sample in metric.samples for label in sample.labels})
