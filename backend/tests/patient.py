"""Something that the doctor looks at: broken by a test, and mended with the printed command."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.doctor.context import Context
from app.doctor.registry import CHECKS
from app.doctor.run import Result, examine, with_needs
from app.doctor.treat import mend
from harness.timing import WAIT, scaled

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Patient:
    """A checkout, an environment and what is told to the checks about them.

    Attributes:
        root: the top folder; printed commands are run in it.
        env: the environment, beside the process' own.
        about: what else a :class:`Context` takes.
    """

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def context(self, **about: Any) -> Context:
        given: dict[str, Any] = {"root": self.root, "environ": self.environ} | self.about | about
        return Context(**given)

    @property
    def environ(self) -> dict[str, str]:
        path = f"{REPOSITORY / '.venv' / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, **self.env}

    async def all(self, *ids: str, **about: Any) -> dict[str, Result]:
        """Run these checks and what they need."""
        results = await examine(with_needs(CHECKS, ids), self.context(**about))
        return {each.check.id: each for each in results}

    async def see(self, check: str, **about: Any) -> Result:
        """Run one check, after what it needs."""
        return (await self.all(check, **about))[check]

    def follow(self, result: Result) -> str:
        """Run the printed command as somebody would who pastes it into a shell."""
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
        """Do what ``--fix`` does about a result, and return what it said."""
        said: list[str] = []
        await mend([result], self.context(), said.append)
        return said

    def doctor(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Call the command itself, in a process of its own; that of `root`, where it has one."""
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
