"""Traces: what a run did, as spans that a collector receives over OTLP.

Off by default. The work calls :func:`span`, which does nothing outside of a traced attempt. Nothing
of OpenTelemetry is imported unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

- `kinds`: the table of spans and their attributes, from which the reference is written.
- `ids`: the ids that all workers compute alike, and the callers' `traceparent`.
- `spans`: the hooks that the work calls.
- `sending`: the queue of spans and the thread that sends them.
- `target`: where the settings send them.
- `otlp`: the only module that imports OpenTelemetry.
- `checks`: what the doctor looks at.

What PostgreSQL knows about ended attempts becomes spans in `app.core.runs.traces`.
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
