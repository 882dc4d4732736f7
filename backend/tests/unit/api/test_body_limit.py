from collections.abc import AsyncIterator

import pytest

from app.api.body_limit import MAX_BODY
from app.api.lists import MAX_BODY as MOST_OF_A_LIST

RUNS = "/api/admin/runs"
HEADERS = {
    "Authorization": "Bearer a-token-of-the-tests",
    "Content-Type": "application/json",
}
SHAPE = {"error", "allowed", "remedy"}


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_declared_length_that_is_too_large_is_refused_as_json(client, method) -> None:
    answer = await client.request(method, RUNS, content=b" " * (MAX_BODY + 1), headers=HEADERS)
    assert answer.status_code == 413
    assert set(answer.json()) == SHAPE


async def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large(client) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY:
            sent += 8_192
            yield b" " * 8_192

    answer = await client.post(RUNS, content=chunks(), headers=HEADERS)
    assert answer.status_code == 413
    assert set(answer.json()) == SHAPE
    assert sent < 2 * MAX_BODY


async def test_a_list_of_genes_may_be_longer_than_other_bodies(client) -> None:
    address = "/api/admin/lists/kidney"
    longer = await client.put(address, content=b" " * (MAX_BODY + 1), headers=HEADERS)
    assert longer.status_code == 400
    assert "the body is not JSON" in longer.json()["error"]
    too_long = await client.put(address, content=b" " * (MOST_OF_A_LIST + 1), headers=HEADERS)
    assert too_long.status_code == 413
