"""The process that reads the bulk table: `python -m app.annotation.sources.clinvar.bulk_child PID`.

Standard input has one line, an :class:`~.bulk_messages.Order`, and stays open while the parent
wants the answer. Standard output has one message a line. The process does not outlive its parent,
nor its parent's interest: the kernel kills it when the parent goes (Linux), and it stops when its
input closes.
"""

import ctypes
import gc
import hashlib
import os
import signal
import sys
import threading
from pathlib import Path

import msgspec
from isal import isal_zlib

from app.annotation.sources.clinvar.bulk_messages import Counts, Done, Order, Unreadable
from app.annotation.sources.clinvar.table import TableError, count_table

GENES_A_MESSAGE = 500

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int:
    """Do one order; 0 when it is done, 1 when the table cannot be used."""
    _die_with(int(sys.argv[1]))
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    threading.Thread(target=_stop_when_input_closes, daemon=True).start()
    gc.disable()  # there are no cycles here, and much that would be looked through for them
    try:
        with Path(order.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        table = count_table(Path(order.path), order.genes)
    except (TableError, EOFError, OSError, isal_zlib.IsalError) as error:  # type: ignore[misc]
        _send(Unreadable(f"{type(error).__name__}: {error}"))
        return 1
    for start in range(0, len(table.tallies), GENES_A_MESSAGE):
        _send(Counts([tally.data() for tally in table.tallies[start : start + GENES_A_MESSAGE]]))
    _send(Done(table.rows, table.genes, digest))
    return 0


def _send(message: Counts | Unreadable | Done) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has gone already")


def _stop_when_input_closes() -> None:
    # not through the buffer, whose lock the interpreter wants when it ends
    while os.read(sys.stdin.fileno(), 65_536):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
