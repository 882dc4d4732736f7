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
        WrongUse: a source or a gene is unknown.
    """
    settings = get_settings()

    async def do(session: Session) -> list[Forecast]:
        return await forecast_request(session.db, settings, request)

    found = in_session(do, settings=settings)
    if as_json:
        click.echo(json.dumps([estimate.model_dump() for estimate in found], indent=2))
        return
    numbers = ("genes due", "requests", "time")
    shown = table("source", "stored", "current", *numbers, right=numbers)
    for estimate in found:
        at_least = "" if estimate.reads_file or not estimate.due else ">= "
        shown.add_row(
            *cells(
                estimate.source,
                estimate.stored or "-",
                estimate.current or "not known",
                count(estimate.due),
                f"{at_least}{estimate.requests:,}",
                duration(estimate.seconds),
            )
        )
    stdout().print(shown)
    if not any(estimate.due for estimate in found):
        say("nothing new")
