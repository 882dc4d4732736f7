"""Writes the results of a measurement into a page of the documentation."""

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
    """Return a description of the machine and versions, without the host name."""
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


def write(name: str, title: str, *parts: str, shows: str, command: str, facts: str) -> Path:
    """Write a page and return its path.

    Args:
        name: the name of the file, without its suffix.
        title: the title of the page.
        parts: paragraphs and tables.
        shows: the end of the sentence that begins with "This page shows".
        command: the command that repeats the measurement.
        facts: see `machine`.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.md"
    opening = f"This page shows {shows}. The last line has the command to repeat the measurement."
    paragraphs = [f"# {title}", opening, *parts, f"Measured with `{command}`: {facts}."]
    path.write_text("\n\n".join(paragraph.strip() for paragraph in paragraphs) + "\n")
    return path
