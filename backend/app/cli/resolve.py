import click

from app.annotation.genes import resolve as names_of_genes
from app.annotation.genes.resolve import MAX_NAMES, Resolution, Resolutions
from app.annotation.genes.words import KINDS, remark, title
from app.cli.output import as_json, cells, stdout, table, write_json
from app.cli.session import Session, in_session
from app.core.errors import WrongUse


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@as_json
def resolve(names: tuple[str, ...], *, as_json: bool) -> None:
    """Show which gene each NAME refers to. NAME is a symbol, previous symbol, alias or id.

    Names are compared with those of all approved genes, which the last import of genes or refresh
    of hgnc has read from HGNC's file. The exit status is 1 unless each NAME refers to one gene.
    """
    if len(names) > MAX_NAMES:
        raise WrongUse(f"{len(names):,} names", allowed=f"at most {MAX_NAMES} names")

    async def do(session: Session) -> Resolutions:
        async with session.db.connect() as connection:
            return Resolutions(names=await names_of_genes.resolve(connection, names))

    found = in_session(do)
    if as_json:
        write_json(found)
    else:
        listed = table("name", "is the", "gene", "")
        for name in found.names:
            listed.add_row(*cells(name.name, *_describe(name)))
        stdout().print(listed)
    if any(name.gene is None for name in found.names):
        click.get_current_context().exit(1)


def _describe(found: Resolution) -> tuple[str, str, str]:
    how = KINDS[found.resolved_by] if found.resolved_by else "-"
    if found.gene is not None:
        return how, title(found.gene), remark(found.gene, found.successor)
    if found.candidates:
        return how, ", ".join(map(title, found.candidates)), "ambiguous"
    return how, "-", "no gene has this name"
