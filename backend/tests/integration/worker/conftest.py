import pytest

from tests.plant import Plant


@pytest.fixture
def genes(plant: Plant) -> Plant:
    """A database with 400 genes."""
    plant.fill()
    return plant


@pytest.fixture
def few_genes(plant: Plant) -> Plant:
    """A database with 120 genes: a run of ClinVar takes six seconds."""
    plant.fill(120)
    return plant
