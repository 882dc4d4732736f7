import json

import click

from app.annotation.refresh.forecast import Forecast, forecast_request, limiter_of_workers
from app.annotation.settings import get_settings
from app.cli.budgets import redis_of_workers
from app.cli.output import cells, count, duration, say, stdout, table
from app.cli.session import Session, in_session
from app.core.redis.rate_limits import LocalRateLimiter
from app.core.runs.request import RunRequest


def show_forecast(request: RunRequest, *, as_json: bool) -> None:
    """Print what a run of a request would do.

    Raises:
        WrongUse: a source or a gene is unknown.
    """
    settings = get_settings()

    async def do(session: Session) -> list[Forecast]:
        async with redis_of_workers(settings) as redis:
            limiter = LocalRateLimiter() if redis is None else limiter_of_workers(redis)
            return await forecast_request(session.db, settings, request, limiter)

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
