"""Controls the development servers of this checkout: PostgreSQL and Redis."""

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
    """Group the commands, which are named after the recipes that call them."""


@main.command()
def up() -> None:
    """Start PostgreSQL and Redis if they are not running."""
    hybrid.up(ROOT)


@main.command()
def down() -> None:
    """Stop the servers that `up` started. Their data stays."""
    hybrid.down(ROOT)


@main.command()
def status() -> None:
    """Show the addresses of the servers. The exit status is 1 if a server does not answer."""
    sys.exit(0 if hybrid.status(ROOT) else 1)


@main.command()
def programs() -> None:
    """Print the folder of PostgreSQL's programs, such as pg_dump."""
    click.echo(binaries.postgres_folder())


guard()
with exit_on_user_error(explain):
    main(prog_name="python -m services")
