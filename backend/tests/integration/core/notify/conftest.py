import pytest

from app.core.runs.attempt import Attempt
from tests.integration.conftest import Bench, Query
from tests.office import Office, quickly


@pytest.fixture
def office(bench: Bench, query: Query, monkeypatch: pytest.MonkeyPatch) -> Office:
    quickly(monkeypatch)
    return Office(bench, query)


async def raise_no_luck(attempt: Attempt) -> None:
    message = "no luck"
    raise RuntimeError(message)
