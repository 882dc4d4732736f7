import pytest

from tests.plant import Plant


@pytest.fixture
def genes(plant: Plant) -> Plant:
    """400 genes are in the database."""
    plant.fill()
    return plant
