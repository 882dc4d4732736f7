"""Starts a program that ends with its parent: `python -m app.core.process.tethered PID PROGRAM...`.

The kernel keeps the request of :func:`~.child.die_with` when a process becomes another program
(prctl(2), ``PR_SET_PDEATHSIG``).
"""

import os
import sys

from app.core.process.child import die_with


def main() -> None:
    """Become the program. The parent is the process with the id PID."""
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
