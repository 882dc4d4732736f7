import pytest

from app.db.locks import Lock


def test_no_lock_can_be_taken_for_the_sign_of_life_of_a_worker() -> None:
    with pytest.raises(ValueError, match="would be the lock of worker 3"):
        Lock("a chore", table="workers", number=3, timeout=0)
