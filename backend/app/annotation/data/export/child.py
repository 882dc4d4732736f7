"""The process that writes an export: `python -m app.annotation.data.export.child PID`.

The parent writes the length of the order, a line feed and the :class:`~.order.Order` to standard
input, and keeps it open while it needs the export. The process writes the export to standard
output, and one :data:`~.order.Message` per line to standard error, among other output. The process
ends when its parent ends.
"""

import gc
import os
import sys
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, BinaryIO, NoReturn

import msgspec
import psycopg

from app.annotation.data.export.formats import writer_of
from app.annotation.data.export.order import Done, Failed, Message, Order, Progress, Started
from app.annotation.data.export.reading import batches, connect
from app.annotation.data.export.rows import rows_of
from app.core.process.child import die_with, end_when_input_closes

PROGRESS_INTERVAL = 0.2
"""Seconds between two messages about the progress."""


class _Without:
    """Hides optional packages from pyarrow, which imports them if they are installed.

    They would take 0.3 s and 60 MB. Installations do not have them, but an analyst's environment
    may.
    """

    PACKAGES = frozenset({"numpy", "pandas"})

    @classmethod
    def find_spec(cls, name: str, *_: object) -> None:
        """Raise for a hidden package, as if it were not installed."""
        if name in cls.PACKAGES:
            raise ModuleNotFoundError(f"an export is written without {name}", name=name)


def main() -> None:
    """Execute one order. The exit status is 0 if the export is complete."""
    die_with(int(sys.argv[1]))
    size = int(sys.stdin.buffer.readline())
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(size), type=Order)
    end_when_input_closes()
    sys.meta_path.insert(0, _Without)
    gc.disable()  # exports create no reference cycles, and collections would scan many objects
    out = _take_stdout()
    try:
        done = _export(order, out)
        out.flush()
    except BrokenPipeError:
        _fail(Failed("closed", "the reader has closed the output"))
    except psycopg.Error as error:
        _fail(Failed("database", str(error).strip()))
    except OSError as error:
        _fail(Failed("output", error.strerror or str(error)))
    _send(done)


def _export(order: Order, out: BinaryIO) -> Done:
    misfits: Counter[str] = Counter()
    genes = rows = 0
    reported_at = time.monotonic()
    with connect(order.dsn, order.snapshot) as connection, _packed(out, gzip=order.gzip) as file:
        _send(Started())
        writer = writer_of(order.table, file, order.folder)
        make = rows_of(order, misfits)
        for batch in batches(connection, order):
            made = list(make(batch))
            genes += len(batch[0])
            rows += len(made)
            if made:
                writer.write(made)
            if (now := time.monotonic()) - reported_at >= PROGRESS_INTERVAL:
                reported_at = now
                _send(Progress(genes))
        writer.close()
    return Done(genes, rows, dict(misfits))


def _packed(out: BinaryIO, *, gzip: bool) -> AbstractContextManager[BinaryIO]:
    """Return a file that compresses its content into another one, which stays open."""
    if not gzip:
        return nullcontext(out)
    from isal import igzip

    packed: Any = igzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0)  # type: ignore[no-untyped-call]
    file: AbstractContextManager[BinaryIO] = packed
    return file


def _take_stdout() -> BinaryIO:
    """Return standard output, and prevent everything else from writing to it."""
    out = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(out, "wb", buffering=256 * 1024)


def _fail(failed: Failed) -> NoReturn:
    _send(failed)
    # exits without flushing buffers
    os._exit(1)


def _send(message: Message) -> None:
    # the parent may have ended
    with suppress(BrokenPipeError):
        os.write(2, msgspec.json.encode(message) + b"\n")


if __name__ == "__main__":
    main()
