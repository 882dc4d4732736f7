"""A collector of traces: it decodes what it receives over OTLP with HTTP."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Received:
    """A span that arrived. Times are seconds since 1970."""

    name: str
    trace_id: str
    id: str
    parent: str
    began: float
    ended: float
    attributes: dict[str, Any]
    resource: dict[str, Any]
    error: str | None
    links: list[tuple[str, str]]


@dataclass
class Collector:
    """What arrived at a collector.

    Attributes:
        address: for `OTEL_EXPORTER_OTLP_ENDPOINT`.
        status: the status of its answers.
        answers: it answers while this is set.
        spans: those that it accepted.
        raw: the bodies of the requests, decompressed.
        headers: those of the requests.
    """

    address: str = ""
    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    spans: list[Received] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[Received]:
        """The spans of this name, in the order of their beginnings."""
        found = [each for each in self.spans if each.name == name]
        return sorted(found, key=lambda each: each.began)

    def one(self, name: str) -> Received:
        (found,) = self.named(name)
        return found

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            about = _values(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [_received(span, about) for span in scope.spans]

    def tree(self) -> list[Received]:
        """The spans, if they are one trace and one tree with one root.

        Raises:
            AssertionError: a span has another trace, an id that occurs twice, or no parent.
        """
        by_id = {each.id: each for each in self.spans}
        assert len(by_id) == len(self.spans), "an id occurs twice"
        assert len({each.trace_id for each in self.spans}) == 1
        loose = [each for each in self.spans if each.parent and each.parent not in by_id]
        assert not loose, loose
        assert [each.name for each in self.spans if not each.parent] == ["run"]
        return self.spans


def _received(span: Any, resource: dict[str, Any]) -> Received:
    return Received(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano / 1e9,
        span.end_time_unix_nano / 1e9,
        _values(span.attributes),
        resource,
        span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
        [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()
    collector.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.answers.wait()
            collector.headers.append(dict(self.headers))
            collector.raw.append(body)
            status = collector.status if self.path == "/v1/traces" else 404
            if status == 200:
                collector.take(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        collector.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield collector
        collector.answers.set()
        server.shutdown()
