"""Writes what was measured where the documentation shows it."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
import redis

from bench._plant import Plant

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference" / "measured"


def machine(plant: Plant) -> str:
    """Say what it was measured on, without naming the machine."""
    with psycopg.connect(plant.postgres.superuser_dsn) as connection:
        postgres = connection.info.server_version // 10_000, connection.info.server_version % 10_000
    with redis.Redis.from_url(plant.redis.url) as client:
        redis_version = client.info("server")["redis_version"]
    return (
        f"{datetime.now(UTC):%d %B %Y}, {len(os.sched_getaffinity(0))} cores,"
        f" {platform.system()} {platform.machine()}, Python {platform.python_version()},"
        f" PostgreSQL {postgres[0]}.{postgres[1]} (fsync on), Redis {redis_version},"
        f" arq {version('arq')}; load average at the start {os.getloadavg()[0]:.1f}"
    )


def write(name: str, title: str, *parts: str, question: str, command: str, facts: str) -> Path:
    """Write a page; return where.

    Args:
        name: of the file, without its ending.
        title: of the page.
        parts: paragraphs and tables.
        question: that they answer, to go on from "For whoever asks".
        command: that measures it again.
        facts: see `machine`.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.md"
    reader = (
        f"For whoever asks {question}. Here you find what was measured, and the command for it."
    )
    paragraphs = [f"# {title}", reader, *parts, f"Measured with `{command}`: {facts}."]
    path.write_text("\n\n".join(each.strip() for each in paragraphs) + "\n")
    return path
