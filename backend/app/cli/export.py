import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.annotation.data.export.describing import described
from app.annotation.data.export.files import write_file
from app.annotation.data.export.formats import FORMATS
from app.annotation.data.export.planning import ExportRequest, format_of, plan
from app.annotation.data.export.process import OutputClosed
from app.annotation.data.export.running import begin, consistent
from app.annotation.data.export.target import targets
from app.annotation.data.field_names import split_names
from app.cli.output import count, note, stderr
from app.cli.session import Session, in_session
from app.core.errors import WrongUse
from app.core.process import signals

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C has ended."""

_STDOUT = Path("-")


@click.command()
@click.option(
    "--format",
    "format_name",
    metavar="|".join(FORMATS),
    help="The format; by default from the extension of FILE, or else tsv.",
)
@click.option("--sources", metavar="SOURCE,...", help="Only the answers of these sources.")
@click.option(
    "--fields", metavar="FIELD,...", help="Only these fields, or all fields below these names."
)
@click.option("--list", "genes", metavar="NAME", help="Only the genes of this list.")
@click.option(
    "--prefix", metavar="TEXT", help="Only genes whose symbol begins with TEXT; ignores case."
)
@click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Only genes that satisfy CONDITION, such as 'gnomad.loeuf<0.6'. If repeated, all must be"
    " satisfied.",
)
@click.option(
    "--order",
    metavar="ORDER",
    default="import",
    help="import, symbol, hgnc_id or a field; a minus means descending: --order=-gnomad.loeuf.",
)
@click.option("--as-of", metavar="TIME", help="Export the state at the end of a day, or at a time.")
@click.option("--snapshot", metavar="NAME", help="Export the state of this snapshot.")
@click.option(
    "--long", metavar="FIELD", help="Write one row per gene and entry of this list or map."
)
@click.option("--columns", is_flag=True, help="Write only the data dictionary.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; by default stdout.",
)
def export(
    *,
    format_name: str | None,
    sources: str | None,
    fields: str | None,
    genes: str | None,
    prefix: str | None,
    where: Sequence[str],
    order: str,
    as_of: str | None,
    snapshot: str | None,
    long: str | None,
    output: Path | None,
    columns: bool,
) -> None:
    """Export genes with their annotations, one row per gene.

    With FILE.tsv, FILE.csv or FILE.jsonl, the command also writes the data dictionary
    (FILE.columns.tsv), the manifest (FILE.manifest.json) and the citation (FILE.citation.cff).
    Parquet files and workbooks contain them. FILE gets its name when it is complete; until then, an
    earlier FILE stays.
    """
    to = None if output == _STDOUT else output
    export_request = ExportRequest(
        format=_format(format_name, to),
        sources=_names(sources),
        fields=_names(fields),
        genes=genes,
        prefix=prefix,
        where=where,
        order=order,
        as_of=as_of,
        snapshot=snapshot,
        long=long,
    )
    if columns:
        _write_columns(export_request, to)
        return
    try:
        with _as_ctrl_c():
            in_session(lambda session: _export(session, export_request, to))
    except OutputClosed:
        click.get_current_context().exit(1)
    except KeyboardInterrupt:
        note("\nStopped. Nothing was written." if to is not None else "\nStopped.")
        click.get_current_context().exit(INTERRUPTED)


def _names(typed: str | None) -> Sequence[str] | None:
    return None if typed is None else split_names(typed)


def _format(name: str | None, output: Path | None) -> str:
    """Return the name of the format.

    Raises:
        WrongUse: there is no such format, or a terminal cannot show it.
    """
    ending = "tsv" if output is None else output.suffix.removeprefix(".").lower()
    if name is None and ending not in FORMATS:
        raise WrongUse(
            f"the extension of {output} is not that of a format",
            allowed=", ".join(f".{form}" for form in FORMATS),
            remedy="change the name of the file, or add --format",
        )
    found = format_of(name or ending)
    if output is None and not found.is_text and sys.stdout.isatty():
        raise WrongUse(
            f"a terminal cannot show {found.name}", remedy=f"add --output genes.{found.name}"
        )
    return found.name


@contextmanager
def _as_ctrl_c() -> Iterator[None]:
    """Handle every signal that would end this process like Ctrl-C, so that it cleans up."""
    handled = signals.handle_all(lambda _number, _frame: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


async def _export(session: Session, export_request: ExportRequest, output: Path | None) -> None:
    if output is None:
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            await _to_stdout(session, export_request, folder)
        return
    written = await write_file(session.db, export_request, output, _progress)
    done = written.done
    note(
        f"{output}: {count(done.rows)} rows about {count(done.genes)} genes,"
        f" {len(written.plan.table.columns)} columns"
    )
    for path in written.beside:
        note(f"{path}")


async def _to_stdout(session: Session, export_request: ExportRequest, folder: str) -> None:
    output = sys.stdout.fileno()
    async with begin(session.db, export_request, output=output, folder=folder) as (planned, export):
        with _progress(planned.total) as progress:
            await export.finish(progress)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show the progress on stderr if it is a terminal."""
    console = stderr()
    if not console.is_terminal:
        yield lambda _genes: None
        return
    columns = (
        TextColumn("genes"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=total)
        yield lambda genes: shown.update(task, completed=genes)


def _write_columns(export_request: ExportRequest, output: Path | None) -> None:
    async def do(session: Session) -> bytes:
        async with consistent(session.db) as connection:
            planned = await plan(connection, export_request)
        return described(planned.table.columns, export_request.format)

    content = in_session(do)
    if output is None:
        click.echo(content, nl=False)
        return
    with targets(output) as (target,):
        target.file.write(content)
