import pytest

from tests.plant import Plant


@pytest.fixture
def genes(plant: Plant) -> Plant:
    """A database with 400 genes."""
    plant.fill()
    return plant
