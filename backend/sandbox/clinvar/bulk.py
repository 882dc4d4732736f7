"""Writes a large variant_summary.txt.gz for measurements: `python -m sandbox.clinvar.bulk FILE`."""

from pathlib import Path

import click

from sandbox.catalogue import Catalogue
from sandbox.clinvar.tables import compressed, write_variant_summary
from sandbox.clinvar.variants import Variants
from sandbox.options import Options


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--rows", "most", type=click.IntRange(1), default=2_000_000, show_default=True)
@click.option("--genes", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(file: Path, most: int, genes: int, seed: int) -> None:
    """Write FILE, a gzipped variant_summary.txt with the given number of rows."""
    # A variant has 1.9 rows on average. The catalogue is 10 % larger than needed, and the excess is
    # not generated.
    average = most // genes * 11 // 19 + 2
    catalogue = Catalogue(Options(genes=genes, variants_per_gene=average, seed=seed))
    with compressed(file) as sink:
        write_variant_summary(Variants(catalogue), sink, catalogue.genes, most)
    click.echo(f"{file}: {most:,} rows, {file.stat().st_size / 1e6:,.0f} MB packed", err=True)


if __name__ == "__main__":
    main()
