import pytest

from app.db.locks import Lock


def test_no_lock_can_be_mistaken_for_the_lock_of_a_worker() -> None:
    with pytest.raises(ValueError, match="would be the lock of worker 3"):
        Lock("a chore", table="workers", number=3, timeout=0)
