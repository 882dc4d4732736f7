"""Removes the configured secrets from everything that this process writes to stderr."""

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
    """Learn the configured secrets, and remove them from every line on stderr.

    Every program of the project calls this first. It covers every writer: libraries, click, the
    interpreter's tracebacks, and the project's own log.

    Args:
        env_file: the file with settings that is read in addition to the environment.
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
    """Redacts whole lines, so that a secret that is written in pieces is complete.

    This class replaces the binary buffer below the text stream, because click writes to the buffer
    directly if it does not trust the encoding of the text stream.
    """

    def __init__(self, below: BinaryIO, encoding: str) -> None:
        self._below = below
        self._encoding = encoding
        self._rest = b""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._below.fileno()

    def isatty(self) -> bool:
        return self._below.isatty()

    def write(self, data: "ReadableBuffer", /) -> int:
        with self._lock:
            self._rest += bytes(data)
            lines, end, self._rest = self._rest.rpartition(b"\n")
            self._below.write(self._clean(lines + end))
        return memoryview(data).nbytes

    def flush(self) -> None:
        with self._lock:
            if not self._below.closed:
                rest, self._rest = self._rest, b""
                self._below.write(self._clean(rest))
                self._below.flush()

    def close(self) -> None:
        # the stream below is not ours: it existed before, and others use it too
        self.flush()

    def _clean(self, data: bytes) -> bytes:
        text = data.decode(self._encoding, "surrogateescape")
        clean = hide_in_addresses(hide(text))
        return data if clean == text else clean.encode(self._encoding, "surrogateescape")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)
