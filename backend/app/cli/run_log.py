import click

from app.cli.output import as_json, local_time, note, say, write_json
from app.cli.session import EPOCH, RUN_ID, read_database
from app.core.runs import log_lines
from app.core.text.words import some


@click.command()
@click.argument("run_id", metavar="ID", type=RUN_ID)
@click.option("--epoch", type=EPOCH, help="The attempt; by default the latest one with log lines.")
@as_json
def log(run_id: int, epoch: int | None, *, as_json: bool) -> None:
    """Show the last lines that a worker logged in an attempt of the run ID.

    Only the last 200 lines of each attempt are stored.
    """
    found = read_database(lambda connection: log_lines.read_log(connection, run_id, epoch))
    if as_json:
        write_json(found)
        return
    if found.attempt is None:
        note(f"no log lines of run {run_id} are stored")
        return
    if found.attempt.earlier:
        note(f"{found.attempt.earlier:,} earlier lines are not stored")
    for line in found.attempt.lines:
        say(f"{local_time(line.at)}  {line.level:8} {line.text}")
    others = [str(other) for other in found.epochs if other != found.attempt.epoch]
    if others:
        note(f"this is attempt {found.attempt.epoch}; for others use --epoch: {some(others, 20)}")
