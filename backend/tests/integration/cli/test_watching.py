"""Looking on while a run is executed."""

import asyncio
import re

from app.cli.session import Session
from app.cli.watch import watch
from app.db.engine import create_engine
from harness.timing import limit
from tests.integration.api.proxy import Proxy


async def said(capsys, words: str) -> str:
    text = ""
    async with limit():
        while not re.search(words, text):
            text += capsys.readouterr().err
            await asyncio.sleep(0.02)
    return text


async def test_it_keeps_polling_during_an_outage_of_the_database(
    settings, genes, query, capsys
) -> None:
    query("INSERT INTO runs (task, mode) VALUES ('t', 'smart')")
    query("INSERT INTO run_events (run_id, epoch, event) SELECT 1, 1, 'event ' || n"
          " FROM generate_series(1, 30) n")  # fmt: skip
    proxy = Proxy(settings.database_url.get_secret_value())
    await proxy.open()
    db = create_engine(proxy.dsn.get_secret_value(), session="test")
    looking = asyncio.create_task(watch(Session(settings, db), 1))
    text = await said(capsys, "event 30")
    assert "event 21" in text
    assert "event 20" not in text
    await proxy.cut()
    await said(capsys, "PostgreSQL is unavailable; retrying")
    await proxy.open()
    query("UPDATE runs SET state = 'succeeded'")
    async with limit():
        assert (await looking).state == "succeeded"
    await db.dispose()
    await proxy.cut()
