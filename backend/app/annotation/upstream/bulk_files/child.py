"""The process that reads a bulk file: `python -m app.annotation.upstream.bulk_files.child PID`.

The parent writes one line to standard input, an :class:`~.messages.Order`, and keeps standard input
open until it has the answer. The process writes one message per line to standard output. It never
outlives its parent: on Linux the kernel kills it when the parent dies, and it stops when standard
input closes. A memory limit applies in addition to the limits of lines and fields.
"""

import gc
import pkgutil
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from isal import isal_zlib

from app.annotation.upstream.bulk_files.digest import sha256
from app.annotation.upstream.bulk_files.messages import (
    MAX_MESSAGE,
    Counted,
    Done,
    Order,
    Part,
    Reading,
    Unreadable,
)
from app.core.errors import KidneyGeneticsError
from app.core.process.child import die_with, end_when_input_closes

MAX_MEMORY = 512 * 1024**2
"""Memory limit of the process in bytes. A table of 2 million rows of 1 KB takes a fifth of it."""


def main() -> int:
    """Execute one order. Return 0 when it is done, or 1 when a file cannot be used."""
    die_with(int(sys.argv[1]))
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    end_when_input_closes()
    gc.disable()  # readers create no reference cycles, and collections would scan many objects
    read: Callable[..., Reading] = pkgutil.resolve_name(order.reader)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    try:
        paths = [Path(path) for path in order.paths]
        digests = [sha256(path) for path in paths]
        reading = read(order.request, *paths)
        messages = (
            msgspec.json.encode(Part(msgspec.Raw(msgspec.json.encode(part))))
            for part in reading.parts
        )
        for message in messages:
            if len(message) > MAX_MESSAGE:
                return _unreadable(f"the answer for a few genes takes {len(message):,} bytes")
            _send(message)
    except (KidneyGeneticsError, EOFError, OSError, isal_zlib.IsalError) as error:  # type: ignore[misc]
        return _unreadable(f"{type(error).__name__}: {error}")
    except MemoryError:
        return _unreadable(f"reading the file takes more than {MAX_MEMORY:,} bytes of memory")
    counted = [
        Counted(digest, *count) for digest, count in zip(digests, reading.counts, strict=True)
    ]
    _send(msgspec.json.encode(Done(counted, reading.release)))
    return 0


def _unreadable(reason: str) -> int:
    _send(msgspec.json.encode(Unreadable(reason)))
    return 1


def _send(message: bytes) -> None:
    sys.stdout.buffer.write(message + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
