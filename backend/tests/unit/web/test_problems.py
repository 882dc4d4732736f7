"""Errors are answered with pages."""

import httpx
from fastapi import FastAPI, HTTPException

from app.api.errors import Busy
from app.api.streams import CLIENT_LEFT
from app.web import problems


async def answer_to(error: Exception) -> httpx.Response:
    pages = FastAPI()
    problems.install(pages)

    @pages.get("/")
    async def fail() -> None:
        raise error

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(pages), base_url="http://localhost"
    ) as browser:
        return await browser.get("/")


async def test_a_disconnected_browser_gets_no_page():
    answer = await answer_to(HTTPException(CLIENT_LEFT, "the client has disconnected"))
    assert (answer.status_code, answer.text) == (CLIENT_LEFT, "")


async def test_a_busy_server_says_what_to_do():
    answer = await answer_to(Busy("4 responses are being streamed"))
    assert answer.status_code == 503
    assert "4 responses are being streamed" in answer.text
    assert "load the page again" in answer.text
