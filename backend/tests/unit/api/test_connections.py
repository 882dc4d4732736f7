"""What a client can do to the API with its connections, on real sockets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from uvicorn.server import ServerState

from app.api.connections import ConnectionLimit
from app.api.log_throttle import throttle_server_logs
from app.api.protocol import limited_protocol
from harness.connections import stop_accepting
from harness.timing import WAIT, limit, scaled
from harness.waiting import eventually

TIMEOUT = 0.3
HALF = b"GET / HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"
LARGE = 30_000_000


class App:
    """Answers `/`; what is asked for at `/later` when it is told to; a lot at `/large`.

    Attributes:
        connections: those that are open.
    """

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        if request.url.path == "/later":
            self.asked.set()
            await self.answer.wait()
        said = "x" * LARGE if request.url.path == "/large" else f"{len(body)} bytes"
        await PlainTextResponse(said)(scope, receive, send)


@asynccontextmanager
async def serving(most: int, client_timeout: float = TIMEOUT) -> AsyncIterator[tuple[App, int]]:
    app = App()
    config = uvicorn.Config(
        app,
        http=limited_protocol(ConnectionLimit(most), client_timeout),
        lifespan="off",
        log_config=None,
    )
    config.load()
    state = ServerState()
    app.connections = state.connections

    def protocol() -> asyncio.Protocol:
        return config.http_protocol_class(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    yield app, server.sockets[0].getsockname()[1]
    await stop_accepting(server)
    server.close()
    for _ in range(10):
        # again in each turn, because a connection that was just accepted appears later
        for each in list(state.connections):
            each.transport.abort()
        await asyncio.sleep(0)
    await asyncio.gather(*state.tasks)
    await server.wait_closed()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, what: bytes) -> None:
        self.writer.write(what)

    async def hear(self) -> tuple[int, Any]:
        """Read one answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
        body = (await self.reader.readexactly(length)).decode()
        return int(head.split()[1]), json.loads(body) if body.startswith("{") else body

    async def all(self) -> bytes:
        """Read until the connection is closed."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connect to a port; what would wait for ever fails instead."""
    clients: list[Client] = []

    async def connect(port: int, **options: Any) -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", port, **options)))
        return clients[-1]

    async with limit():
        yield connect
    for each in clients:
        each.writer.close()
        with suppress(OSError):
            await each.writer.wait_closed()


@pytest.mark.parametrize(
    "said",
    [
        HALF,
        b"G",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12345678",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n",
    ],
)
async def test_an_unfinished_request_is_refused_and_closed(connect, said) -> None:
    async with serving(most=5) as (_, port):
        client = await connect(port)
        client.say(said)
        status, answer = await client.hear()
        assert await client.all() == b""
    assert status == 408
    assert set(answer) == {"error", "allowed", "remedy"}


async def test_a_second_request_that_does_not_end_is_closed_as_well(connect) -> None:
    async with serving(most=5) as (_, port):
        client = await connect(port)
        client.say(WHOLE)
        assert await client.hear() == (200, "0 bytes")
        client.say(HALF)
        assert (await client.hear())[0] == 408


async def test_a_slow_drip_request_is_not_waited_for_either(connect) -> None:
    async with serving(most=5) as (_, port):
        client = await connect(port)
        client.say(WHOLE[:-2])
        while not client.reader.at_eof():
            client.say(b"X-A: b\r\n")
            await asyncio.sleep(TIMEOUT / 10)
            if client.reader._buffer:
                break
        assert (await client.hear())[0] == 408


async def test_a_silent_connection_is_closed_without_a_response(connect) -> None:
    async with serving(most=5) as (_, port):
        assert await (await connect(port)).all() == b""


async def test_a_request_under_way_is_never_closed(connect) -> None:
    async with serving(most=5) as (app, port):
        client = await connect(port)
        client.say(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
        await app.asked.wait()
        await asyncio.sleep(2 * TIMEOUT)
        app.answer.set()
        assert await client.hear() == (200, "0 bytes")


async def test_prompt_clients_are_served_while_others_are_silent(connect) -> None:
    async with serving(most=5, client_timeout=scaled(WAIT)) as (_, port):
        silent = [await connect(port) for _ in range(3)]
        slow = [await connect(port) for _ in range(20)]
        for each in slow:
            each.say(HALF)
        client = await connect(port)
        client.say(WHOLE)
        assert await client.hear() == (200, "0 bytes")
        for each in [*silent, *slow[:-4]]:
            assert await each.all() == b""
        # the youngest may go on
        slow[-1].say(b"\r\n")
        assert await slow[-1].hear() == (200, "0 bytes")


async def test_when_each_connection_has_a_request_a_further_one_is_refused(connect) -> None:
    async with serving(most=2, client_timeout=scaled(WAIT)) as (app, port):
        busy = [await connect(port) for _ in range(2)]
        for each in busy:
            app.asked.clear()
            each.say(b"GET /later HTTP/1.1\r\nHost: x\r\n\r\n")
            await app.asked.wait()
        further = await connect(port)
        status, answer = await further.hear()
        assert (status, answer["error"]) == (503, "the API has no connection left")
        assert await further.all() == b""
        app.answer.set()
        for each in busy:
            assert await each.hear() == (200, "0 bytes")
        again = await connect(port)
        again.say(WHOLE)
        assert await again.hear() == (200, "0 bytes")


async def test_one_that_does_not_read_its_answer_is_closed(connect) -> None:
    async with serving(most=5) as (app, port):
        client = await connect(port, limit=100_000)
        client.say(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await eventually(lambda: app.connections)
        await eventually(lambda: not app.connections)
        assert len(await client.all()) < LARGE


async def test_one_that_reads_slowly_gets_all_of_its_answer(connect) -> None:
    timeout = scaled(TIMEOUT)
    async with serving(most=5, client_timeout=timeout) as (_, port):
        client = await connect(port, limit=100_000)
        client.say(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = 0
        began = asyncio.get_running_loop().time()
        while data := await client.reader.read(2_000_000):
            received += len(data)
            if asyncio.get_running_loop().time() - began < 3 * timeout:
                await asyncio.sleep(timeout / 20)
        assert received > LARGE


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with (
        serving(most=1) as (_, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        for body in (b"", b"1", b"22"):
            answer = await client.post("/", content=body)
            assert answer.text == f"{len(body)} bytes"


async def test_a_wish_for_another_protocol_is_passed_over(connect) -> None:
    async with serving(most=5) as (_, port):
        client = await connect(port)
        client.say(HALF + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert await client.hear() == (200, "0 bytes")


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        HALF + b"X: " + b"y" * 100_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_a_request_that_is_not_http_gets_an_error_in_the_usual_form(connect, said) -> None:
    async with serving(most=5) as (_, port):
        client = await connect(port)
        client.say(said)
        status, answer = await client.hear()
    assert (status, answer["error"]) == (400, "this is not an HTTP request")


@pytest.fixture
def as_when_served(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Log as the API's own process does."""
    names = ("uvicorn.access", "uvicorn.error")
    for name in (None, *names):  # a server of another test may have set the level of these two
        caplog.set_level(logging.INFO, logger=name)
    loggers = [logging.getLogger(name) for name in names]
    before = [each.filters[:] for each in loggers]
    yield caplog
    for logger, filters in zip(loggers, before, strict=True):
        logger.filters[:] = filters


async def test_client_errors_are_logged_once_and_long_addresses_are_cut(
    connect, as_when_served
) -> None:
    throttle_server_logs()
    async with serving(most=5, client_timeout=scaled(WAIT)) as (_, port):
        for _ in range(50):
            client = await connect(port)
            client.say(b"nonsense\r\n\r\n")
            await client.all()
        slow = [await connect(port) for _ in range(50)]
        await slow[0].all()
        client = await connect(port)
        client.say(b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.hear())[0] == 200
    lines = [record.getMessage() for record in as_when_served.records]
    assert len([line for line in lines if "that are not HTTP" in line]) == 1
    assert len([line for line in lines if "too many" in line]) == 1
    assert len(lines) == 3
    assert all(len(line) < 300 for line in lines)
