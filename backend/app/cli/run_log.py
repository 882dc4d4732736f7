import click

from app.cli.output import as_json, local_time, note, say, write_json
from app.cli.session import EPOCH, RUN_ID, Session, in_session
from app.core.runs import log_lines
from app.core.runs.log_lines import RunLog
from app.core.text.words import some


@click.command()
@click.argument("run_id", metavar="ID", type=RUN_ID)
@click.option("--epoch", type=EPOCH, help="The attempt; by default the latest one that has lines.")
@as_json
def log(run_id: int, epoch: int | None, *, as_json: bool) -> None:
    """Show the last log lines of the run ID: what its worker logged in one attempt.

    At most the last 200 lines of each attempt are kept.
    """

    async def do(session: Session) -> RunLog:
        async with session.db.connect() as connection:
            return await log_lines.read_log(connection, run_id, epoch)

    found = in_session(do)
    if as_json:
        write_json(found)
        return
    if found.attempt is None:
        note(f"no log line of run {run_id} is kept")
        return
    if found.attempt.earlier:
        note(f"{found.attempt.earlier:,} earlier lines are not kept")
    for line in found.attempt.lines:
        say(f"{local_time(line.at)}  {line.level:8} {line.text}")
    others = [str(other) for other in found.epochs if other != found.attempt.epoch]
    if others:
        note(f"attempt {found.attempt.epoch}; with --epoch also: {some(others, 20)}")
