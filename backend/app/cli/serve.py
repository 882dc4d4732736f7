import click

from app.annotation.settings import get_settings
from app.cli.session import Session, in_session
from app.serve import serve


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 means any free port.",
)
def api(host: str, port: int) -> None:
    """Serve the API until SIGTERM, Ctrl-C or the end of the terminal.

    If USE_ARQ_WORKER is False, the API also executes runs, and continues unfinished runs of an
    earlier process.
    """

    async def check_only(session: Session) -> None:
        """Do nothing: opening the session has shown that the database can be used."""

    settings = get_settings()
    in_session(check_only, settings=settings)
    serve(settings, host, port)
