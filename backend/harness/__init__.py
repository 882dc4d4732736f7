"""Starts the project's programs as processes: for the demo, the benchmarks and the tests.

- `process.Process` is one program with its log; it ends with the process that started it.
- `launcher.Launcher` starts workers, the API, the sandbox and commands with one environment.
- `receivers` has an SMTP server and a receiver of webhooks, with faults.
- `waiting` waits for a condition; `timing` scales time limits to the speed of this machine.

The harness imports none of the programs: it starts them by name. PostgreSQL and Redis come from
`services`.
"""

from harness.launcher import Launcher
from harness.process import BACKEND, Process

__all__ = ["BACKEND", "Launcher", "Process"]
