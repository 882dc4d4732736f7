import click

from app.annotation.data.rollback import RolledBack, roll_back
from app.cli.output import as_json, count, local_time, note, say, write_json
from app.cli.session import change_database
from app.cli.who import login_name


@click.command()
@click.argument("source")
@click.option(
    "--to", required=True, metavar="TIME|SNAPSHOT", help="The state to which SOURCE is restored."
)
@click.option(
    "--dry-run", is_flag=True, help="Only show how many genes would change, with examples."
)
@click.option("--note", "why", help="The reason, which is stored with the rollback.")
@click.option("--by", metavar="WHO", help="Your name; by default your login name.")
@as_json
def rollback(
    source: str, *, to: str, dry_run: bool, why: str | None, by: str | None, as_json: bool
) -> None:
    """Restore the answers of SOURCE to their state at a day, a time or a snapshot.

    A rollback is a change like any other: the replaced answers go into the history, and a rollback
    can be rolled back. A gene that had no answer at that time becomes unknown. The release that was
    rolled back is not fetched again, but the next release is. The command is refused while a run
    covers SOURCE.
    """
    who = login_name() if by is None else by

    done = change_database(
        lambda connection: roll_back(connection, source, to, note=why, by=who, dry_run=dry_run)
    )
    if as_json:
        write_json(done)
    else:
        _report(done)


def _report(done: RolledBack) -> None:
    to = f"snapshot {done.snapshot}" if done.snapshot else local_time(done.to)
    if not done.genes:
        say(f"{done.source} is already in its state of {to}; nothing changes")
        return
    would = "would be" if done.dry_run else "was"
    say(
        f"{done.source} {would} rolled back to {to}: {count(done.genes)} genes get another answer,"
        f" of which {count(done.unknown)} become unknown"
    )
    for gene in done.examples:
        say(f"  {gene.symbol}: {gene.state_before} -> {_state(gene.state_before, gene.state)}")
    if done.genes > len(done.examples):
        say(f"  and {count(done.genes - len(done.examples))} more")
    if not done.dry_run:
        note(f"Runs refresh these genes again when {done.source} publishes another release.")


def _state(before: str, after: str) -> str:
    return f"{after}, with other data" if before == after else after
