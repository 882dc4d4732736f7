import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.config import Settings
from sandbox.options import Options
from sandbox.server import Sandbox
from tests.plant import Plant


@pytest.fixture
def plant(settings: Settings, redis_url: str, tmp_path: Path) -> Iterator[Plant]:
    # 4 summaries a second at most in flight: a run lasts long enough to be met half-way
    options = Options(genes=400, variants_per_gene=60, limits="off", cache_dir=tmp_path)
    with Sandbox(options) as sandbox:
        env = os.environ | sandbox.settings
        env |= {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": redis_url,
            "USE_ARQ_WORKER": "true",
            "CACHE_DIR": str(tmp_path / "cache"),
            "CLINVAR_BULK_THRESHOLD": "1000000",
            "NCBI_RATE": "20",
        }
        plant = Plant(env, sandbox, tmp_path)
        yield plant
        plant.stop()


@pytest.fixture
def genes(plant: Plant) -> Plant:
    """400 genes are in the database."""
    done = plant.cli("genes-import", "hgnc")
    assert done.returncode == 0, done.stderr
    return plant
