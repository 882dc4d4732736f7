from collections.abc import AsyncIterator

import pytest

from app.api.body_limit import MAX_BODY

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
