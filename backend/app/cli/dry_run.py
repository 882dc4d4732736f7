import json

import click

from app.annotation.genes.selection import find_hgnc_ids
from app.annotation.own_tables.registry import all_sources
from app.annotation.refresh.forecast import Forecast, forecast
from app.annotation.refresh.requests import in_order
from app.annotation.settings import get_settings
from app.annotation.sources.connector import Connector
from app.annotation.upstream import new_http_client
from app.cli.output import cells, count, duration, say, stdout, table
from app.cli.session import Session, in_session
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.runs.request import RunRequest


def show_forecast(request: RunRequest, *, as_json: bool) -> None:
    """Print what a run of a request would do.

    Raises:
        WrongUse: an unknown source or gene.
    """
    settings = get_settings()

    async def do(session: Session) -> list[Forecast]:
        genes: list[str] | None = None
        async with session.db.connect() as connection:
            known = await all_sources(connection)
            if request.genes is not None:
                genes = await find_hgnc_ids(connection, request.genes)
        async with new_http_client(settings.upstream_timeout) as http:
            return await forecast(
                session.db,
                Connector(settings, LocalRateLimiter(), http),
                in_order(request, known, settings.enabled_sources),
                full=request.mode == "full",
                genes=genes,
            )

    found = in_session(do, settings=settings)
    if as_json:
        click.echo(json.dumps([each.model_dump() for each in found], indent=2))
        return
    numbers = ("genes due", "requests", "time")
    shown = table("source", "stored", "current", *numbers, right=numbers)
    for each in found:
        at_least = "" if each.reads_file or not each.due else ">= "
        shown.add_row(
            *cells(
                each.source,
                each.stored or "-",
                each.current or "not known",
                count(each.due),
                f"{at_least}{each.requests:,}",
                duration(each.seconds),
            )
        )
    stdout().print(shown)
    if not any(each.due for each in found):
        say("nothing new")
