import click

from app.annotation.data.lists import genes_to_annotate
from app.annotation.genes.selection import names_in
from app.annotation.refresh.requests import request_run
from app.annotation.refresh.run_detail import RunDetail, get_detail
from app.annotation.settings import Settings, get_settings
from app.annotation.sources import SOURCES
from app.cli.output import (
    as_json,
    headline,
    note,
    nothing_due_note,
    progress_table,
    say,
    start_command,
    stdout,
    write_json,
)
from app.cli.session import Session, in_session, open_dispatcher
from app.cli.watch import watch
from app.cli.who import actor
from app.core.errors import WrongUse
from app.core.runs.request import MODES, RunRequest
from app.core.workers import views as worker_views

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C has ended."""


class Requested(RunDetail):
    """A run, and whether the request created it."""

    created: bool


@click.command(epilog=f"Sources: {', '.join(SOURCES)}.")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--wait", is_flag=True, help="Show the progress until the run has ended.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=MODES[0],
    show_default=True,
    help="smart refreshes answers that are missing, unknown, stale or of a former release; full"
    " refreshes all answers.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Reopen the latest failed or cancelled run of the same request.",
)
@click.option(
    "--genes",
    metavar="FILE|NAMES",
    help="Limit the run to these genes: a file as for genes-import, or names separated by commas.",
)
@click.option(
    "--list",
    "list_name",
    metavar="NAME",
    help="Limit the run to the genes of this list that are in the database; see list-add.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Start no run. Show the releases, the number of genes that are due, and the number of"
    " requests for them.",
)
@as_json
def annotate(
    sources: tuple[str, ...],
    mode: str,
    genes: str | None,
    list_name: str | None,
    *,
    dry_run: bool,
    wait: bool,
    resume: bool,
    as_json: bool,
) -> None:
    """Start a run that annotates all genes from the given SOURCEs, or from all sources.

    If a run of the same request is active, no new run is started. With --wait, the exit status is 1
    unless the run succeeds. Ctrl-C ends the command, and the run continues.
    """
    settings = get_settings()
    request = RunRequest.of(sources or None, mode, _limited_to(genes, list_name, settings))
    if dry_run:
        from app.cli.dry_run import show_forecast

        show_forecast(request, as_json=as_json)
        return
    run_id: int | None = None

    async def do(session: Session) -> Requested:
        nonlocal run_id
        async with open_dispatcher(session.settings) as dispatcher:
            answer = await request_run(
                session.db,
                dispatcher,
                request,
                enabled=settings.enabled_sources,
                actor=actor(),
                resume=resume,
            )
        run_id = answer.ref.run_id
        run = await _detail(session, run_id)
        if not as_json:
            say(headline(run))
        await _warn_without_workers(session)
        if wait:
            await watch(session, run_id)
            run = await _detail(session, run_id)
        return Requested(**dict(run), created=answer.created)

    try:
        run = in_session(do, settings=settings)
    except KeyboardInterrupt:
        if run_id is None:
            note("\nStopped while the run was being created; to see whether it exists: just runs")
        else:
            note(f"\nRun {run_id} continues. To see its progress: just show {run_id}")
        click.get_current_context().exit(INTERRUPTED)
    if as_json:
        write_json(run)
    elif wait:
        _report(run)
    else:
        note(f"To see its progress: just show {run.id}")
    if run.state in {"failed", "cancelled"}:
        click.get_current_context().exit(1)


def _limited_to(genes: str | None, list_name: str | None, settings: Settings) -> list[str] | None:
    if genes is not None and list_name is not None:
        raise WrongUse(
            "--genes and --list are both given", allowed="one of them, or none for all genes"
        )
    if list_name is None:
        return None if genes is None else names_in(genes)

    async def do(session: Session) -> list[str]:
        async with session.db.connect() as connection:
            return await genes_to_annotate(connection, list_name)

    return in_session(do, settings=settings)


async def _detail(session: Session, run_id: int) -> RunDetail:
    async with session.db.connect() as connection:
        return await get_detail(connection, run_id)


async def _warn_without_workers(session: Session) -> None:
    async with session.db.connect() as connection:
        workers = await worker_views.list_workers(connection)
    if not any(worker.alive for worker in workers):
        start = start_command(arq=session.settings.use_arq_worker)
        note(f"No worker is running, so the run waits in the queue. To start one: {start}")


def _report(run: RunDetail) -> None:
    say(headline(run))
    stdout().print(progress_table(run.progress))
    if (fresh := nothing_due_note(run)) is not None:
        say(fresh)
    if run.error is not None:
        note(f"Error: {run.error}")
