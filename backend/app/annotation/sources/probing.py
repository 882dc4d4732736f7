"""Two probes that several sources share: ask about one gene, and check the columns of a file."""

import zlib
from collections.abc import Collection

from app.annotation.sources.answers import Gene
from app.annotation.sources.base import ApiSource
from app.annotation.sources.connector import Connector
from app.annotation.upstream.errors import BadAnswer
from app.annotation.upstream.host import Host

GENE = Gene(0, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
"""A gene that every source has."""

HEADER_BYTES = 65_536
"""The number of bytes fetched from the start of a file to find its header."""


async def ask_about_a_gene(connect: Connector, source: type[ApiSource]) -> str:
    """Ask a source's service about one gene, like a run does.

    Raises:
        BadAnswer: the source cannot use the answer.
        Wait: the service cannot be asked now.
    """
    (answer,) = await source(connect).annotate([GENE])
    if answer.state == "unknown":
        raise BadAnswer(answer.reason or "no reason given")
    return f"{GENE.symbol} is {answer.state}"


async def has_columns(
    connect: Connector,
    host: Host,
    path: str,
    columns: Collection[str],
    *,
    separator: str = "\t",
    lines_before: int = 0,
) -> str:
    """Fetch the start of a table and check that its header has the columns that are read.

    Args:
        connect: the connector to the host.
        host: the host of the file.
        path: the path below the host's address. A name that ends in `gz` is a gzip or bgzip file.
        columns: the columns that the source reads.
        separator: the separator of columns.
        lines_before: the maximum number of lines before the header, such as a banner.

    Raises:
        BadAnswer: a column is missing, or the file is not a gzip file.
        Wait: the file cannot be fetched now.
    """
    start = await connect.upstream(host).start_of(path, HEADER_BYTES)
    if path.endswith("gz"):
        try:
            start = zlib.decompressobj(wbits=31).decompress(start, HEADER_BYTES)
        except zlib.error as error:
            raise BadAnswer(f"{path} is not a gzip file: {error}") from error
    first = start.decode("utf-8", "replace").split("\n", lines_before + 1)[: lines_before + 1]
    headers = [[name.strip('"') for name in line.strip("#\r").split(separator)] for line in first]
    missing = [[column for column in columns if column not in header] for header in headers]
    if least := min(missing, key=len):
        raise BadAnswer(f"{path} has no column {', '.join(least)}")
    return f"{path.rpartition('/')[2]} has the expected columns"
