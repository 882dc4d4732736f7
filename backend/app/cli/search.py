import click

from app.annotation.genes import search as genes
from app.annotation.genes.search import DEFAULT_MATCHES, MAX_MATCHES, Match
from app.annotation.genes.words import KINDS, remark, summary, title
from app.cli.output import as_json, cells, note, stdout, table, write_json
from app.cli.session import read_database


@click.command()
@click.argument("text", metavar="TEXT")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_MATCHES),
    default=DEFAULT_MATCHES,
    show_default=True,
    help="Genes.",
)
@as_json
def search(text: str, limit: int, *, as_json: bool) -> None:
    """Find genes by TEXT: a name of any kind, or the beginning of a symbol or an alias.

    The meaning of TEXT is written to stderr. If no name begins with TEXT, similar names are listed.
    The exit status is 1 if nothing was found.
    """
    found = read_database(lambda connection: genes.search(connection, text, limit))
    if as_json:
        write_json(found)
    else:
        note(summary(found))
        listed = table("gene", "found by", "")
        for gene in found.meant:
            kind = KINDS[str(found.resolution.resolved_by)]
            listed.add_row(*cells(title(gene), kind, remark(gene)))
        for match in (*found.matches, *found.near):
            listed.add_row(*cells(title(match.gene), _by(match), remark(match.gene)))
        if listed.row_count:
            stdout().print(listed)
    if not (found.meant or found.matches):
        click.get_current_context().exit(1)


def _by(match: Match) -> str:
    kind = KINDS[match.kind]
    return kind if match.name == match.gene.symbol else f"{kind} {match.name}"
