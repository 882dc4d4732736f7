import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.annotation.settings import Settings
from app.cli import annotate, budgets, genes, schedules, serve, session, sources
from app.cli.group import main
from tests.hurried import Hurried
from tests.plant import BACKEND


@dataclass
class Cli:
    """The command line, in this process or in a separate one."""

    settings: Settings
    env: dict[str, str]
    processes: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def __call__(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, [str(each) for each in arguments])

    def json(self, *arguments: object) -> Any:
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def process(self, *arguments: object, **more: Any) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *map(str, arguments)],
            cwd=BACKEND,
            env=self.env | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.fixture
def cli(
    arq_settings: Settings, monkeypatch: pytest.MonkeyPatch, own_logging: None
) -> Iterator[Cli]:
    settings = arq_settings.model_copy(update={"log_level": "WARNING"})
    env = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "USE_ARQ_WORKER": str(settings.use_arq_worker),
        "ADMIN_TOKEN": "a-token-of-the-tests",
        "CACHE_DIR": str(settings.cache_dir),
    }
    cli = Cli(settings, env)
    monkeypatch.setattr(session, "load_settings", lambda *_, **__: cli.settings)
    for command in (annotate, genes, schedules, serve, sources, budgets):
        monkeypatch.setattr(command, "get_settings", lambda: cli.settings)
    # a command in this process waits for no rate; one of its own does
    monkeypatch.setattr(genes, "LocalRateLimiter", Hurried)
    yield cli
    cli.stop()
