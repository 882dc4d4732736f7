import pytest

from tests.plant import Plant


@pytest.fixture
def genes(plant: Plant) -> Plant:
    """400 genes are in the database."""
    done = plant.cli("genes-import", "hgnc")
    assert done.returncode == 0, done.stderr
    return plant
