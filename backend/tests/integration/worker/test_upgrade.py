"""The next version is deployed while a worker of this version executes a run."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app.db import revisions
from harness.timing import WAIT, scaled
from tests.plant import BACKEND, Plant

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(180)]

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    for table in ("genes", "annotations", "runs", "run_sources", "run_events", "workers"):
        op.add_column(table, sa.Column("later", sa.Text(), server_default="x", nullable=False))
    op.create_index("later_idx", "annotations", ["later"])
"""


def next_version(folder: Path) -> Path:
    """A copy of this code with one more migration."""
    shutil.copytree(BACKEND / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    versions = folder / "app" / "db" / "migrations" / "versions"
    (versions / "9999_later.py").write_text(MIGRATION.format(head=revisions.HEAD))
    (folder / "app" / "__init__.py").write_text('__version__ = "9.9.9"\n')
    return folder


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


async def test_a_worker_finishes_its_run_while_the_next_version_is_deployed(
    genes: Plant, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    deployed = next_version(tmp_path / "next")
    old = genes.worker(ARQ_MAX_JOBS="1", NCBI_RATE="1")
    first = genes.annotate("ensembl", "clinvar")
    await genes.until(lambda r: r["state"] == "running" and r["done"] > 400, run_id=first)

    def of_the_next(*arguments: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / "next.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=deployed,
                env=genes.env | {"PYTHONPATH": str(deployed)},
                stdout=log,
                stderr=log,
            )

    assert of_the_next("app.cli", "migrate").wait(scaled(WAIT)) == 0
    assert genes.rows("SELECT count(later) AS n FROM genes") == [{"n": 400}]
    assert (await genes.until(lambda _: True, run_id=first))["state"] == "running"
    new = of_the_next("arq", "app.core.arq_worker.WorkerSettings")
    request.addfinalizer(partial(end, new))
    await genes.until(
        lambda _: bool(genes.rows("SELECT 1 FROM workers WHERE version LIKE '9.9.9+%%'")),
        run_id=first,
    )
    # a process of the old version no longer starts, and says what to do
    late = genes.cli("annotate", "hgnc")
    assert late.returncode == 1
    assert "migrated by a newer version" in late.stderr
    asked = of_the_next("app.cli", "annotate", "hgnc")
    assert asked.wait(scaled(WAIT)) == 0
    second = await genes.ended()
    assert (second["state"], second["pid"]) == ("succeeded", new.pid)
    run = await genes.ended(first)
    assert (run["state"], run["pid"], run["attempts"]) == ("succeeded", old.pid, 1)
    assert (run["losses"], run["interruptions"]) == (0, 0)
