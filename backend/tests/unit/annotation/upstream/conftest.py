import httpx
import pytest

from app.annotation.upstream import Host, Retries, Upstream
from app.core.redis.rate_limits import LocalRateLimiter

QUICK = Retries(refused=4, fault=3, cut=5, body=2, first=0.001, max_backoff=0.01)
DECLARED = ("max_body", "max_download", "redirects", "rate_with_key")

HOST = {
    "name": "ncbi",
    "title": "",
    "url": "",
    "setting": "",
    "rate": 3,
    "rate_with_key": 10,
}


class Service:
    """A scripted service: each request gets the next answer, and the last one is repeated.

    An answer is a response, an exception, or a function of the request.
    """

    def __init__(self) -> None:
        self.script = []
        self.asked = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        response = step(request) if callable(step) else step
        # an unread response, as from the network
        return httpx.Response(
            response.status_code, headers=response.headers, stream=response.stream
        )


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def limiter():
    return LocalRateLimiter(window=0)


@pytest.fixture
async def connect(service, limiter, tmp_path):
    """Creates an Upstream for the scripted service."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(service.answer)) as http:

        def make(**changes):
            settings = {
                "base_url": "https://service.example/api",
                "limiter": limiter,
                "http": http,
                "rate": 10_000,
                "cache_dir": tmp_path,
                "retries": QUICK,
            }
            declared = {name: changes.pop(name) for name in DECLARED if name in changes}
            host = Host(**(HOST | declared))
            return Upstream(host, **(settings | changes))

        yield make
