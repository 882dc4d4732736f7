from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.structure import unit
from app.annotation.upstream.bulk_files.lines import UnusableFile, in_line
from app.annotation.upstream.bulk_files.messages import Reading
from app.annotation.upstream.bulk_files.tables import as_number, read_rows
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host

FILES = Host(
    name="descartes-files",
    title="The Descartes atlas' files",
    url="https://atlas.fredhutch.org/data/bbi/descartes/human_gtex/tables",
    setting="descartes_files_url",
    rate=1,
    concurrency=1,
)
"""No limit is documented. Users report that the host answers 403 to some programs."""

TPM, PERCENTAGE = "tissue_tpm/kidney.csv", "tissue_percentage/kidney.csv"

MAX_PERCENTAGE = 1
"""The atlas writes fractions, although it calls them percentages."""

_PROBED_BYTES = 1024
"""The number of bytes at the start of a file that the doctor checks."""


class DescartesData(msgspec.Struct, frozen=True):
    """The expression of a gene in the fetal kidney, measured in single cells."""

    tpm: Annotated[float | None, unit("TPM")]
    """Expression in all cells of the fetal kidney together, in TPM (transcripts per million). Null
    if the atlas has NA."""

    fraction: Annotated[float | None, unit("fraction 0-1")]
    """The fraction of the cells of the fetal kidney in which a transcript of the gene was detected,
    from 0 to 1. Null if the atlas has NA."""


def read(request: Any, tpm: Path, percentage: Path) -> Reading:
    """Return the data of each requested gene. This is the files' reader."""
    requested = ReaderRequest.of(request)
    return reading([_values(requested, tpm), _values(requested, percentage, MAX_PERCENTAGE)], _data)


def _values(
    request: ReaderRequest, path: Path, maximum: float = float("inf")
) -> Grouped[float | None]:
    rows = Grouped[float | None](request, "symbol")
    for line in read_rows(path, separator=",", quoted=True, ended=True):
        with in_line(path, line.number):
            symbol, value = _row(line.values, maximum)
        rows.add(symbol, value, says_something=bool(value))
    return rows


def _row(fields: Sequence[str], maximum: float = float("inf")) -> tuple[str, float | None]:
    if len(fields) != 2:  # noqa: PLR2004
        raise UnusableFile(f"{len(fields)} fields, not a symbol and a value")
    symbol, value = fields
    if symbol in {"", "NA"} or symbol.replace(".", "").isdecimal():
        raise UnusableFile(f"{symbol[:40]!r} is not a symbol")
    return symbol, as_number(value, ("NA",), minimum=0, maximum=maximum)


def _data(
    tpm: Sequence[float | None], percentage: Sequence[float | None]
) -> DescartesData | str | None:
    if not tpm or not percentage:
        return "only one of the two files has the gene"
    if len(set(tpm)) > 1 or len(set(percentage)) > 1:
        # the atlas counts by Ensembl gene, but writes only symbols
        return f"{len(tpm)} rows with different values have the gene's symbol"
    if tpm[0] is None and percentage[0] is None:
        return None
    return DescartesData(tpm[0], percentage[0])


async def _probe(connect: Connector) -> str:
    upstream = connect.upstream(FILES)
    for path in (TPM, PERCENTAGE):
        start = (await upstream.start_of(path, _PROBED_BYTES)).decode("utf-8", "replace")
        first = start.partition("\n")[0].strip("\r")
        try:
            _row([field.strip('"') for field in first.split(",")])
        except UnusableFile as error:
            raise BadAnswer(f"{path} does not begin with a symbol and a value: {error}") from error
    return "both files begin with a symbol and a value"


class Descartes(FileSource):
    """The expression of a gene in single cells of the fetal kidney: TPM, and fraction of cells.

    The licence of the data is unclear, so a run of all sources leaves this source out unless
    `DISABLED_SOURCES` says otherwise. The atlas names genes by the symbols of its time. A gene is
    unknown if the rows of its symbol differ, as those of ALG9 do, and absent if both files have NA.
    """

    info = SourceInfo(
        name="descartes",
        title="Descartes",
        licence="unclear",
        licence_url="https://descartes.brotmanbaty.org/",
        attribution="Descartes, a human cell atlas of fetal gene expression (Cao et al. 2020)",
        hosts=(FILES,),
        freshness=timedelta(days=365),
        # of 18,856 protein-coding genes, a sample has values for 85 %
        min_genes=14_000,
        off_by_default=True,
    )
    data = DescartesData
    file = BulkFile(
        FILES,
        (TPM, PERCENTAGE),
        "app.annotation.sources.descartes:read",
        watched=(TPM, PERCENTAGE),
    )
    probes = (
        HostProbe(
            host=FILES,
            title="the Descartes atlas has both of its files",
            why="Runs of Descartes wait for these files, and fail if their format has changed.",
            ask=_probe,
        ),
    )
