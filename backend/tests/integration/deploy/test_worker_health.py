import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.timing import WAIT, scaled
from tests.forked import Programs
from tests.plant import BACKEND, Plant

SCRIPT = BACKEND.parent / "deploy" / "docker" / "worker_health.py"


@pytest.fixture
def plant(database_url: str, redis_url: str, tmp_path: Path, programs: Programs) -> Iterator[Plant]:
    env = os.environ | {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    plant = Plant(env, None, tmp_path, programs)  # type: ignore[arg-type]
    yield plant
    plant.end()


def check(plant: Plant) -> "subprocess.CompletedProcess[str]":
    """Run it as in the container."""
    return subprocess.run(
        [sys.executable, SCRIPT],
        cwd=BACKEND,
        env=plant.env | {"PYTHONPATH": str(BACKEND)},
        check=False,
        capture_output=True,
        text=True,
        timeout=scaled(WAIT),
    )


async def test_a_container_is_healthy_while_its_worker_is_alive(plant: Plant) -> None:
    assert check(plant).returncode == 1
    worker = plant.worker()
    await plant.says(worker, "is alive")
    done = check(plant)
    assert (done.returncode, done.stderr) == (0, "")
    plant.rows("UPDATE workers SET host = 'another'")
    assert check(plant).stderr == "no worker of this container is alive\n"
    plant.rows("UPDATE workers SET host = %(host)s", host=os.uname().nodename)
    worker.kill()
    worker.wait()
    assert check(plant).returncode == 1
