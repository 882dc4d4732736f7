"""`python -m services up|down|status|programs`: the development servers of this checkout."""

import sys
from pathlib import Path

import click

from app.core.process.exits import exit_on_user_error
from app.core.process.guard import guard
from app.doctor.recipes import explain
from services import binaries, hybrid

ROOT = Path(__file__).resolve().parents[2]


@click.group(help=__doc__)
def main() -> None:
    """The commands are named for the recipes that call them."""


@main.command()
def up() -> None:
    """Start PostgreSQL and Redis, or find them running."""
    hybrid.up(ROOT)


@main.command()
def down() -> None:
    """Stop what `up` started; the data stays."""
    hybrid.down(ROOT)


@main.command()
def status() -> None:
    """Say where they are; exit status 1 when one does not answer."""
    sys.exit(0 if hybrid.status(ROOT) else 1)


@main.command()
def programs() -> None:
    """Say where PostgreSQL's programs are, pg_dump among them."""
    click.echo(binaries.postgres_folder())


guard()
with exit_on_user_error(explain):
    main(prog_name="python -m services")
