import httpx
import pytest
from fastapi import FastAPI
from psycopg import errors as postgresql
from sqlalchemy.exc import OperationalError

from app.api import errors


@pytest.mark.parametrize(("state", "status"), [("57P01", 503), ("53300", 503), ("54000", 500)])
async def test_only_an_outage_is_called_one(state: str, status: int) -> None:
    app = FastAPI()
    errors.install(app)

    @app.get("/")
    async def fail() -> None:
        raise OperationalError("SELECT", {}, postgresql.lookup(state)("refused"))

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        assert (await client.get("/")).status_code == status
