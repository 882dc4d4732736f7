"""The API's own process under clients who open connections and say too little."""

import asyncio
import socket

import httpx

from harness.timing import WAIT, scaled

HALF = b"GET /api/genes HTTP/1.1\r\nHost: x\r\n"


async def test_four_hundred_half_sent_headers_block_no_other_client(plant) -> None:
    plant.place = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh")
    api, address = await plant.api()
    where = (httpx.URL(address).host, httpx.URL(address).port)
    slow = [socket.create_connection(where) for _ in range(400)]
    try:
        for each in slow:
            each.sendall(HALF)
        async with httpx.AsyncClient(base_url=address, timeout=scaled(WAIT)) as client:
            for path in ("/health/live", "/health/ready", "/api/genes"):
                assert (await client.get(path)).status_code == 200
    finally:
        for each in slow:
            each.close()
    api.terminate()
    await asyncio.to_thread(api.wait, scaled(WAIT))
    log = plant.log(api)
    assert log.count("closed connections of clients that were slow or too many") == 1
    assert "Traceback" not in log
    assert api.returncode == 0
