import json

import click

from app.annotation.refresh.forecast import Forecast, forecast_request
from app.annotation.settings import get_settings
from app.cli.output import cells, count, duration, say, stdout, table
from app.cli.session import Session, in_session
from app.core.runs.request import RunRequest


def show_forecast(request: RunRequest, *, as_json: bool) -> None:
    """Print what a run of a request would do.

    Raises:
        WrongUse: an unknown source or gene.
    """
    settings = get_settings()

    async def do(session: Session) -> list[Forecast]:
        return await forecast_request(session.db, settings, request)

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
