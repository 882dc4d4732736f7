"""Sends spans to a collector with OpenTelemetry's exporter. Only `sending` imports this module."""

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from app import __version__
from app.core.process.redaction import redact
from app.core.process.tracing.spans import Span, Value

MAX_TEXT = 1_000
"""Characters of an attribute or an error."""

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Exporter:
    """Sends spans, and returns the reason of a failure.

    Args:
        address: the collector's endpoint for traces.
        headers: headers of each request.
        certificate: a file with the certificate authorities to trust; None means the usual ones.
        resource: the attributes of this process.
        timeout: the timeout of a request including its retries, in seconds.
    """

    def __init__(
        self,
        address: str,
        *,
        headers: Mapping[str, str],
        certificate: Path | None,
        resource: Mapping[str, Value],
        timeout: float,
    ) -> None:
        self._exporter = OTLPSpanExporter(
            endpoint=address,
            headers=dict(headers),
            certificate_file=None if certificate is None else str(certificate),
            timeout=timeout,
            compression=Compression.Gzip,
        )
        self._resource = Resource(resource)
        self._scope = InstrumentationScope("kidney-genetics", __version__)

    def send(self, spans: Sequence[Span]) -> str | None:
        """Send spans. Return None, or the reason why they could not be sent."""
        _logged.first = ""
        result = self._exporter.export([self._readable(span) for span in spans])
        if result is SpanExportResult.SUCCESS:
            return None
        return redact(_logged.first) or "no answer"

    def shut_down(self) -> None:
        """Abort retries in another thread."""
        self._exporter.shutdown()

    def _readable(self, span: Span) -> ReadableSpan:
        caller = span.caller
        links = () if caller is None else (Link(_context(caller.trace_id, caller.span_id)),)
        error = None if span.error is None else redact(span.error)[:MAX_TEXT]
        return ReadableSpan(
            name=f"{span.kind.name} {span.label}".rstrip(),
            context=_context(span.trace_id, span.span_id),
            parent=None if span.parent_id is None else _context(span.trace_id, span.parent_id),
            resource=self._resource,
            attributes={
                name: _shown(value) for name, value in span.attributes.items() if value != ""
            },
            links=links,
            kind=SpanKind.CLIENT if span.kind.outbound else SpanKind.INTERNAL,
            status=Status() if error is None else Status(StatusCode.ERROR, error),
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=self._scope,
        )


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED)


def _shown(value: Value) -> Value:
    return redact(value)[:MAX_TEXT] if isinstance(value, str) else value


class _Logged(threading.local):
    """The first message that the exporter has logged in this thread since the last request."""

    first = ""


_logged = _Logged()


def _intercept(record: logging.LogRecord) -> bool:
    """Keep the first message, which states the reason. Log none, as there is one per request."""
    _logged.first = _logged.first or record.getMessage()
    return False


logging.getLogger(OTLPSpanExporter.__module__).addFilter(_intercept)
