"""Starts a program that ends with its parent: `python -m app.core.process.tethered PID PROGRAM...`.

The effect of :func:`~.child.die_with` persists when a process executes another program (prctl(2),
``PR_SET_PDEATHSIG``).
"""

import os
import sys

from app.core.process.child import die_with


def main() -> None:
    """Replace this process by the program. PID is the process id of the parent."""
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
