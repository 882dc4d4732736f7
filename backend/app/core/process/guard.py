"""Keeps the configured secrets out of all that this process writes to stderr."""

import io
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from app.core.process.checkout import ROOT, SERVICES_ENV
from app.core.process.configured_secrets import configured_secrets
from app.core.process.redaction import hide, hide_in_addresses, learn

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def guard(env_file: Path = ROOT / ".env") -> None:
    """Learn the secrets that are configured, and take them out of every line of stderr.

    A program calls it first: from then on it does not matter who writes, be it a library, click,
    the interpreter with the traceback of an error that nobody expected, or our own log.

    Args:
        env_file: where the settings are, beside the environment.
    """
    learn(configured_secrets(os.environ, *map(_text, (env_file, SERVICES_ENV))))
    stream = sys.stderr
    below = getattr(stream, "buffer", None)
    if below is None or isinstance(below, _Guarded):
        return
    stream.flush()
    sys.stderr = io.TextIOWrapper(
        _Guarded(below, stream.encoding),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class _Guarded(io.BufferedIOBase):
    """Hands bytes on by the line, as what is written in pieces is only known when it is whole.

    It lies below the text, as click writes past a text whose encoding it does not trust.
    """

    def __init__(self, below: BinaryIO, encoding: str) -> None:
        self._below = below
        self._encoding = encoding
        self._begun = b""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._below.fileno()

    def isatty(self) -> bool:
        return self._below.isatty()

    def write(self, data: "ReadableBuffer", /) -> int:
        with self._lock:
            self._begun += bytes(data)
            lines, end, self._begun = self._begun.rpartition(b"\n")
            self._below.write(self._clean(lines + end))
        return memoryview(data).nbytes

    def flush(self) -> None:
        with self._lock:
            if not self._below.closed:
                begun, self._begun = self._begun, b""
                self._below.write(self._clean(begun))
                self._below.flush()

    def close(self) -> None:
        # what is below was there before, and is others' as well
        self.flush()

    def _clean(self, data: bytes) -> bytes:
        text = data.decode(self._encoding, "surrogateescape")
        clean = hide_in_addresses(hide(text))
        return data if clean == text else clean.encode(self._encoding, "surrogateescape")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)
