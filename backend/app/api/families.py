"""Builds Prometheus metric families, whose names have a common prefix."""

from collections.abc import Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from app.core.runs.buckets import Histogram

PREFIX = "kidney_genetics_"


def gauge(name: str, description: str, value: float) -> Metric:
    """Return a gauge without labels."""
    return GaugeMetricFamily(PREFIX + name, description, value=float(value))


def gauge_by(label: str, name: str, description: str, values: Mapping[str, float]) -> Metric:
    """Return a gauge with one value per value of a label."""
    return _filled(GaugeMetricFamily(PREFIX + name, description, labels=[label]), values)


def counter(name: str, description: str, value: float) -> Metric:
    """Return a counter without labels. Prometheus shows it as `name_total`."""
    return CounterMetricFamily(PREFIX + name, description, value=value)


def counter_by(label: str, name: str, description: str, values: Mapping[str, float]) -> Metric:
    """Return a counter with one value per value of a label."""
    return _filled(CounterMetricFamily(PREFIX + name, description, labels=[label]), values)


def histogram(name: str, description: str, value: Histogram) -> Metric:
    """Return a histogram without labels."""
    return HistogramMetricFamily(
        PREFIX + name, description, buckets=_cumulative(value), sum_value=value.seconds
    )


def histogram_by(
    label: str, name: str, description: str, values: Mapping[str, Histogram]
) -> Metric:
    """Return one histogram per value of a label."""
    family = HistogramMetricFamily(PREFIX + name, description, labels=[label])
    for label_value, value in values.items():
        family.add_metric([label_value], _cumulative(value), value.seconds)
    return family


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    for label_value, value in values.items():
        family.add_metric([label_value], value)
    return family


def _cumulative(value: Histogram) -> list[tuple[str, float]]:
    """Return the cumulative number of durations up to each bound, as Prometheus requires."""
    bounds = [*(str(float(bound)) for bound in value.bounds), "+Inf"]
    return list(zip(bounds, accumulate(value.counts), strict=True))
