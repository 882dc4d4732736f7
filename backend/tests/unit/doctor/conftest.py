from pathlib import Path

import pytest

from tests.patient import Patient


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """An empty folder in the place of the checkout."""
    return Patient(tmp_path)
