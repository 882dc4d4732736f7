"""An installation that a test breaks, and repairs with the command that the doctor prints."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.doctor.context import Context
from app.doctor.registry import CHECKS
from app.doctor.run import Result, examine, with_needs
from app.doctor.treat import fix
from harness.timing import WAIT, scaled

REPOSITORY = Path(__file__).resolve().parents[2]

LIMIT = 60.0
"""Seconds for all checks: a test beside a busy machine must not fail for lack of time."""


@dataclass
class Patient:
    """A checkout and its environment.

    Attributes:
        root: the top folder, in which printed commands are executed.
        env: additions to the environment of this process.
        about: more arguments of :class:`Context`.
    """

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def context(self, **about: Any) -> Context:
        given = {"root": self.root, "environ": self.environ, "limit": LIMIT}
        return Context(**(given | self.about | about))

    @property
    def environ(self) -> dict[str, str]:
        path = f"{REPOSITORY / '.venv' / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, **self.env}

    async def all(self, *ids: str, **about: Any) -> dict[str, Result]:
        """Run these checks and what they need."""
        results = await examine(with_needs(CHECKS, ids), self.context(**about))
        return {each.check.id: each for each in results}

    async def see(self, check: str, **about: Any) -> Result:
        """Run one check, after the checks that it needs."""
        return (await self.all(check, **about))[check]

    def follow(self, result: Result) -> str:
        """Execute the printed command in a shell."""
        assert result.remedy, f"{result.check.id} prints no command: {result.finding}"
        return self.shell(result.remedy)

    def shell(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-eu", "-c", command],
            cwd=self.root,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=scaled(WAIT),
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    async def fix(self, result: Result) -> list[str]:
        """Repair a problem as ``--fix`` does, and return what it reported."""
        said: list[str] = []
        await fix([result], self.context(), said.append)
        return said

    def doctor(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Call the command in a process of its own, with the code in `root` if there is any."""
        own = self.root / "backend" / "app"
        return subprocess.run(
            [sys.executable, "-m", "app.cli", "doctor", *arguments],
            cwd=(self.root if own.is_dir() else REPOSITORY) / "backend",
            env=self.environ | env,
            capture_output=True,
            text=True,
            check=False,
            timeout=scaled(WAIT),
        )
