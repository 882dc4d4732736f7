"""Sends the traces of runs from this process."""

import os
import socket
from contextlib import AbstractContextManager
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.config import Settings
from app.core.errors import INSTALL_TRACES, UserError
from app.core.process import logs
from app.core.process.redaction import hide_in_addresses
from app.core.process.tracing import ids, within_attempt
from app.core.process.tracing.sending import REQUEST_TIMEOUT, SpanSender
from app.core.process.tracing.spans import Value
from app.core.process.tracing.target import Target, is_installed, target_of
from app.core.process.version import version
from app.core.redis import installation
from app.core.runs.ended_spans import ended_spans
from app.core.runs.ref import RunRef

_DATABASE = text(
    "SELECT oid || ':' || CAST('runs'::regclass::oid AS text) FROM pg_database"
    " WHERE datname = current_database()"
)


class Traces:
    """Sends the traces of runs from this process.

    Args:
        target: the collector.
        session: identifies the process.

    Raises:
        UserError: OpenTelemetry is not installed.
    """

    def __init__(self, target: Target, session: str) -> None:
        if not is_installed():
            raise UserError(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that send traces are not"
                " installed",
                remedy="install them, or remove OTEL_EXPORTER_OTLP_ENDPOINT from the settings",
                steps=(INSTALL_TRACES,),
            )
        # imported here, because the package is optional
        from app.core.process.tracing.otlp import Exporter  # noqa: PLC0415

        resource: dict[str, Value] = {
            "service.name": target.service,
            "service.version": version(),
            "service.instance.id": session,
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
        }
        exporter = Exporter(
            target.address,
            headers=target.headers,
            certificate=target.certificate,
            resource=resource,
            timeout=REQUEST_TIMEOUT,
        )
        self._installation = ""
        self._sender = SpanSender(exporter, hide_in_addresses(target.address))

    @classmethod
    def of(cls, settings: Settings, session: str) -> Self | None:
        """Return the sender of traces; None if traces are off.

        Raises:
            UserError: traces are on, but OpenTelemetry is not installed.
        """
        target = target_of(settings)
        return None if target is None else cls(target, session)

    async def start(self, db: AsyncEngine) -> None:
        """Identify the installation, and add the trace id to the log lines of runs from now on."""
        mark = await installation.identify(db)
        if mark is not None:
            self._installation = mark.id
        else:
            async with db.connect() as connection:
                self._installation = (await connection.execute(_DATABASE)).scalar_one()
        logs.add_trace_ids(lambda run_id: ids.as_text(self._trace_of(run_id)))

    def attempt(self, ref: RunRef) -> AbstractContextManager[None]:
        """Make the spans of a block children of an attempt."""
        return within_attempt(self._sender, self._trace_of(ref.run_id), ref.epoch)

    async def send_ended(self, connection: AsyncConnection) -> None:
        """Send the spans of attempts and runs that have ended and were not sent yet.

        Args:
            connection: an autocommit connection.
        """
        for spans in await ended_spans(connection, self._trace_of):
            self._sender.put(spans)

    async def stop(self) -> None:
        """Send the remaining spans, for at most a few seconds."""
        logs.add_trace_ids(None)
        await self._sender.stop()

    def _trace_of(self, run_id: int) -> int:
        return ids.trace_of(self._installation, run_id)
