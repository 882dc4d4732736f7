import asyncio
from pathlib import Path

import click
from sqlalchemy import text

from app.cli.session import Session, in_session
from app.core.postgres import backup as backups
from app.core.postgres.schema import check_schema

_CONTENT = text(
    "SELECT (SELECT count(*) FROM genes) AS genes,"
    " (SELECT count(*) FROM annotations) AS annotations,"
    " (SELECT count(*) FROM runs WHERE state IN ('queued', 'running')) AS active"
)
_File = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_File, required=False)
def backup(file: Path | None) -> None:
    """Write a backup of the database to FILE, or to a file in backups/ named after the time.

    The command prints the name of the file. Runs continue meanwhile. Redis needs no backup. The
    backup does not include .env, which contains secrets.
    """

    async def do(session: Session) -> Path:
        name = file or backups.new_name()
        await asyncio.to_thread(backups.write, _dsn(session), name)
        return name

    click.echo(in_session(do, migrated=False))


@click.command()
@click.argument("file", type=_File)
def restore(file: Path) -> None:
    """Restore the backup FILE into the empty database that DATABASE_URL names.

    Runs that were active at the time of the backup continue when a worker starts.
    """

    async def do(session: Session) -> str:
        await asyncio.to_thread(backups.read, _dsn(session), file)
        async with session.db.connect() as connection:
            row = (await connection.execute(_CONTENT)).one()
        await check_schema(session.db)
        return (
            f"restored {row.genes} genes with {row.annotations} annotations;"
            f" {row.active} active runs continue when a worker starts"
        )

    click.echo(in_session(do, migrated=False))


def _dsn(session: Session) -> str:
    return session.settings.database_url.get_secret_value()
