import click

from app.cli.session import Session, in_session
from app.core.postgres.migration import upgrade


@click.command()
def migrate() -> None:
    """Bring the tables of the database up to date. The command may run several times at once."""

    async def do(session: Session) -> str:
        return await upgrade(session.db)

    click.echo(f"the database is at version {in_session(do, migrated=False)}")
