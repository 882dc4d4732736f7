"""Time limits that scale with the measured speed of this machine.

A time limit distinguishes slow work from work that hangs. The duration of the work depends on the
machine: on its processors, on other programs, and on whether Python's packages are compiled. So
limits are specified in seconds of a quiet machine (`REFERENCE`) and multiplied by the factor by
which this machine is slower. `measure` determines the factor once per test session, before the
first test:

- It measures elapsed time, not processor time. So it includes the time for which a process waits
  for a core.
- It starts as many probes at once as the session has test processes, and uses the slowest one. So
  it includes the load that the tests themselves cause.
- A probe does what the tests spend most of their time on: it starts Python, imports packages and
  computes. So it includes the time for compiling packages without bytecode.
- The factor is at least 1, so that a fast machine does not make limits tight, and at most
  `SLOWEST`, so that work that hangs is still detected.

The load can change after the measurement. So the limits in the tests are at least ten times the
duration of the work on a quiet machine, and no test asserts how long something took.
"""

import asyncio
import os
import subprocess
import sys
import time

VARIABLE = "TEST_SLOWDOWN"
"""The environment variable that passes the measured factor to other processes."""

WAIT = 60.0
"""The time limit for one event on a quiet machine, in seconds."""

REFERENCE = 0.35
"""The duration of a probe on a quiet machine, in seconds: measured on two cores, Python 3.11."""

SLOWEST = 10.0

_PROBE = """
import asyncio, json, ssl, sqlalchemy.ext.asyncio
total = 0
for number in range(1_000_000):
    total += number
"""


def slowdown() -> float:
    """Return the factor by which this machine is slower than a quiet one, or 1 if unmeasured."""
    return float(os.environ.get(VARIABLE, "1"))


def scaled(seconds: float) -> float:
    """Convert seconds of a quiet machine to seconds of this machine."""
    return seconds * slowdown()


def limit(seconds: float = WAIT) -> asyncio.Timeout:
    """Return a context manager that raises TimeoutError after the scaled time."""
    return asyncio.timeout(scaled(seconds))


def measure(processes: int) -> float:
    """Measure the factor for a session with `processes` concurrent test processes."""
    began = time.monotonic()
    probes = [
        subprocess.Popen([sys.executable, "-P", "-c", _PROBE])  # noqa: S603 - our own program
        for _ in range(max(processes, 1))
    ]
    for probe in probes:
        probe.wait()
    return min(max(1.0, (time.monotonic() - began) / REFERENCE), SLOWEST)
