"""Traces: the steps of a run as spans, which are sent to a collector over OTLP.

Traces are off by default. The work calls :func:`span`, which does nothing outside of a traced
attempt. OpenTelemetry is imported only if `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

- `kinds`: the table of spans and attributes, from which the reference page is generated.
- `ids`: ids that all workers compute alike, and the `traceparent` of callers.
- `spans`: the hooks that the work calls.
- `sending`: the queue of spans, and the thread that sends them.
- `target`: the collector that the settings name.
- `otlp`: the only module that imports OpenTelemetry.
- `checks`: the doctor's check of the collector.

`app.core.runs.ended_spans` builds the spans of ended attempts and runs from PostgreSQL.
"""

from app.core.process.tracing.spans import span, within_attempt, within_source

__all__ = [
    "checks",
    "ids",
    "kinds",
    "sending",
    "span",
    "target",
    "within_attempt",
    "within_source",
]
