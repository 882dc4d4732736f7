import click

from app.annotation.data.rollback import RolledBack, roll_back
from app.cli.output import as_json, count, local_time, note, say, write_json
from app.cli.session import Session, in_session
from app.cli.who import login_name


@click.command()
@click.argument("source")
@click.option("--to", required=True, metavar="TIME|SNAPSHOT", help="Whose answers are restored.")
@click.option("--dry-run", is_flag=True, help="Only show how many genes would change, and some.")
@click.option("--note", "why", help="Why. The rollback keeps the note.")
@click.option("--by", metavar="WHO", help="Who rolls back; your login name by default.")
@as_json
def rollback(
    source: str, *, to: str, dry_run: bool, why: str | None, by: str | None, as_json: bool
) -> None:
    """Give the genes back the answers that SOURCE had given until a day, a time or a snapshot.

    This is a change like any other: the replaced answers go into the history, and a rollback can be
    rolled back. A gene that had no answer then becomes unknown. The release that was rolled back is
    not fetched again; the next release is. It is refused while a run covers SOURCE.
    """
    who = login_name() if by is None else by

    async def do(session: Session) -> RolledBack:
        async with session.db.begin() as connection:
            return await roll_back(connection, source, to, note=why, by=who, dry_run=dry_run)

    done = in_session(do)
    if as_json:
        write_json(done)
    else:
        _report(done)


def _report(done: RolledBack) -> None:
    to = f"snapshot {done.snapshot}" if done.snapshot else local_time(done.to)
    if not done.genes:
        say(f"{done.source} is as at {to} already: nothing changes")
        return
    would = "would be" if done.dry_run else "was"
    say(
        f"{done.source} {would} rolled back to {to}: {count(done.genes)} genes get another answer,"
        f" {count(done.unknown)} of them become unknown"
    )
    for gene in done.examples:
        say(f"  {gene.symbol}: {gene.state_before} -> {_state(gene.state_before, gene.state)}")
    if done.genes > len(done.examples):
        say(f"  and {count(done.genes - len(done.examples))} more")
    if not done.dry_run:
        note(f"A run refreshes the genes when {done.source} has another release.")


def _state(before: str, after: str) -> str:
    return f"{after}, with other data" if before == after else after
