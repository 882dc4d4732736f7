import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.rows import dict_row
from pydantic import SecretStr

from app.cli import session
from app.cli.group import main
from app.core.config import Settings

BACKEND = Path(__file__).resolve().parents[3]

Query = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def query(database_url: str) -> Query:
    """Read or change the database behind the command's back."""

    def do(statement: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(database_url, row_factory=dict_row) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return do


@pytest.fixture
def genes(query: Query) -> None:
    query(
        "INSERT INTO genes (hgnc_id, symbol, ensembl_gene_id, entrez_id) VALUES"
        " ('HGNC:9008', 'PKD1', 'ENSG00000008710', '5310'),"
        " ('HGNC:12403', 'TTN', 'ENSG00000155657', '7273')"
    )


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    """Settings under which arq workers execute the runs."""
    return settings.model_copy(
        update={"use_arq_worker": True, "redis_url": SecretStr(redis_url), "log_level": "WARNING"}
    )


@dataclass
class Cli:
    """The command line, in this process or in one of its own."""

    settings: Settings
    env: dict[str, str]

    def __call__(self, *arguments: object) -> Result:
        return CliRunner().invoke(main, [str(each) for each in arguments])

    def json(self, *arguments: object) -> Any:
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def process(self, *arguments: object, **more: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", *map(str, arguments)],
            cwd=BACKEND,
            env=self.env | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def cli(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    env = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "USE_ARQ_WORKER": str(settings.use_arq_worker),
        "ADMIN_TOKEN": "a-token-of-the-tests",
        "CACHE_DIR": str(settings.cache_dir),
    }
    cli = Cli(settings, env)
    monkeypatch.setattr(session, "get_settings", lambda: cli.settings)
    # a command sets up the logging of its process
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield cli
    root.handlers[:] = handlers
    root.setLevel(level)
