"""Compares the time to read ClinVar's bulk file with `gzip -dc` of the same file.

Run `python -m bench.clinvar_bulk --rows 2000000` in `backend/`.
"""

import asyncio
import resource
import shutil
import subprocess
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import click

from app.annotation.sources.clinvar.attribution import RequestedGene
from app.annotation.sources.clinvar.source import ClinVar
from app.annotation.upstream.bulk_files.process import read_in_child
from sandbox.catalogue import Catalogue
from sandbox.clinvar.tables import compressed, write_variant_summary
from sandbox.clinvar.variants import Variants
from sandbox.options import Options

_TICK = 0.005


@click.command()
@click.option("--rows", type=click.IntRange(1), default=2_000_000, show_default=True)
@click.option("--genes", type=click.IntRange(1), default=20_000, show_default=True)
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--keep",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("../.run/bench"),
    help="Folder in which the generated file is kept.",
)
def main(rows: int, genes: int, repeat: int, folder: Path) -> None:
    """Measure, and exit with 1 when a limit is exceeded."""
    catalogue = Catalogue(Options(genes=genes, variants_per_gene=rows // genes * 11 // 19 + 2))
    wanted = [RequestedGene(gene.entrez_id, (gene.symbol,)) for gene in catalogue.genes]
    file = folder / f"variant_summary.{rows}.{genes}.txt.gz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        with compressed(part) as sink:
            write_variant_summary(Variants(catalogue), sink, catalogue.genes, rows)
        part.replace(file)
    missed = False
    for _ in range(repeat):
        gzip = _gzip(file)
        ours, found, block = asyncio.run(_ours(file, wanted))
        rss = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        click.echo(
            f"{rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB compressed: gzip -dc {gzip:.2f} s,"
            f" this project {ours:.2f} s ({ours / gzip:.2f} x), {found:,} genes found, peak RSS of"
            f" the child {rss:.0f} MB, longest block of the event loop {block * 1000:.0f} ms"
        )
        missed |= ours > 2 * gzip or rss > 500 or block > 0.1  # noqa: PLR2004 - the limits
    if missed:
        raise SystemExit(1)


def _gzip(file: Path) -> float:
    program = shutil.which("gzip")
    if program is None:
        raise click.ClickException("gzip, which is needed for the comparison, is not installed")
    started = time.perf_counter()
    subprocess.run([program, "-dc", str(file)], stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    return time.perf_counter() - started


async def _ours(file: Path, wanted: list[RequestedGene]) -> tuple[float, int, float]:
    blocked = asyncio.create_task(_longest_block())
    await asyncio.sleep(0)
    started = time.perf_counter()
    found = 0
    of = dict[str, Any] | None
    reading = read_in_child(ClinVar.file.reader, [file], wanted, of=of, done=lambda _: None)
    async with aclosing(reading) as lists:
        async for data in lists:
            found += sum(each is not None for each in data)
    seconds = time.perf_counter() - started
    blocked.cancel()
    await asyncio.wait([blocked])
    return seconds, found, blocked.result()


async def _longest_block() -> float:
    longest = 0.0
    try:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_TICK)
            longest = max(longest, time.perf_counter() - before - _TICK)
    except asyncio.CancelledError:
        return longest


if __name__ == "__main__":
    main()
