"""Time limits that scale with the measured speed of this machine.

A time limit distinguishes slow work from work that hangs. The time of the work depends on the
machine: on its processors, on other programs, and on whether Python's packages are compiled. Limits
are therefore written in seconds of a quiet machine (`REFERENCE`) and multiplied by a factor, which
says how much slower this machine is. `measure` measures it once per test session, before the first
test:

- It measures elapsed time, not processor time: the time that a process waits for a core counts.
- It starts as many probes at once as the session has test processes, and takes the slowest one: the
  load that the tests put on the machine counts as well.
- A probe does what the tests spend most of their time on: it starts Python, imports packages and
  computes. Packages without bytecode, which take several times as long to import, count too.
- The result is at least 1, so a fast machine does not make limits tight, and at most `SLOWEST`, so
  that work that hangs is still found.

Load can change after the measurement. The limits in the tests are therefore ten times and more what
the work takes on a quiet machine, and no test asserts how long something took.
"""

import asyncio
import os
import subprocess
import sys
import time

VARIABLE = "TEST_SLOWDOWN"
"""The environment variable that passes the measured factor to other processes."""

WAIT = 60.0
"""Seconds that the wait for one event may take on a quiet machine."""

REFERENCE = 0.35
"""Seconds that a probe takes on a quiet machine: measured on two cores with Python 3.11."""

SLOWEST = 10.0

_PROBE = """
import asyncio, json, ssl, sqlalchemy.ext.asyncio
total = 0
for number in range(1_000_000):
    total += number
"""


def slowdown() -> float:
    """Return the factor by which this machine is slower than a quiet one; 1 if not measured."""
    return float(os.environ.get(VARIABLE, "1"))


def scaled(seconds: float) -> float:
    """Convert seconds of a quiet machine into seconds of this one."""
    return seconds * slowdown()


def limit(seconds: float = WAIT) -> asyncio.Timeout:
    """Return a context manager that raises TimeoutError after `seconds`, scaled."""
    return asyncio.timeout(scaled(seconds))


def measure(processes: int) -> float:
    """Measure the factor for a session that runs `processes` test processes at once."""
    began = time.monotonic()
    probes = [
        subprocess.Popen([sys.executable, "-P", "-c", _PROBE])  # noqa: S603 - our own program
        for _ in range(max(processes, 1))
    ]
    for probe in probes:
        probe.wait()
    return min(max(1.0, (time.monotonic() - began) / REFERENCE), SLOWEST)
