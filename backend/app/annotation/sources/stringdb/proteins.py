"""Reads STRING's list of proteins, and their HGNC ids from the list of aliases."""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from app.annotation.upstream.bulk_files.lines import UnusableFile, blocks_of_lines, opened_ahead
from app.annotation.upstream.bulk_files.messages import Count
from app.annotation.upstream.bulk_files.tables import read_table

INFO_COLUMNS = ("string_protein_id", "preferred_name")
ALIAS_COLUMNS = ("string_protein_id", "alias", "source")

MAX_LINE_BYTES = 1 << 16
MAX_BYTES = 4 * 1024**3
"""Bytes of a file, decompressed. All links of human proteins have 0.6 GB."""

_PROTEIN = re.compile(r"\d{1,9}\.[\w.-]+", re.ASCII)
_HGNC_NUMBER = re.compile(rb"(?:HGNC:)?(\d{1,9})", re.ASCII)

_HGNC_ID = b"\tensembl_hgnc_hgnc_id"
"""The source of an alias that is an HGNC id. It was Ensembl_HGNC_HGNC_ID before version 12."""


class Named(NamedTuple):
    """The proteins of a version of STRING.

    Attributes:
        symbols: the preferred name of each protein; None if it is only an Ensembl id.
        size: the size of the file.
    """

    symbols: Mapping[str, str | None]
    size: Count


class Identified(NamedTuple):
    """The HGNC ids of proteins.

    Attributes:
        ids: the ids of each protein that has some.
        size: the size of the file.
    """

    ids: Mapping[str, Sequence[str]]
    size: Count


def read_info(path: Path) -> Named:
    """Read ``protein.info``, a table with one row for each protein."""
    symbols: dict[str, str | None] = {}
    for number, (protein, name) in read_table(path, INFO_COLUMNS, ended=True):
        if not _PROTEIN.fullmatch(protein) or not name or protein in symbols:
            raise UnusableFile(f"{path.name}, line {number} names no protein, or one again")
        symbols[protein] = None if name.startswith("ENSP") else name
    return Named(symbols, Count(len(symbols), len(symbols)))


def read_aliases(path: Path) -> Identified:
    """Read the HGNC ids of ``protein.aliases``, which has some 200 aliases for each protein."""
    found: dict[str, list[str]] = {}
    rows, size, tabs = 0, len(_HGNC_ID), len(ALIAS_COLUMNS) - 1
    with opened_ahead(path) as stream:
        blocks = blocks_of_lines(stream, max_line=MAX_LINE_BYTES, max_size=MAX_BYTES, ended=True)
        lines = next(blocks, [b""])
        header = lines.pop(0).decode("utf-8", "replace").strip("#\r").split("\t")
        if header != list(ALIAS_COLUMNS):
            missing = [name for name in ALIAS_COLUMNS if name not in header]
            raise UnusableFile(f"{path.name} has no column {', '.join(missing or header)[:200]}")
        for block in chain([lines], blocks):
            rows += len(block)
            for line in block:
                if line[-size:].lower() == _HGNC_ID:
                    protein, gene = _identified(path, line)
                    ids = found.setdefault(protein, [])
                    if gene not in ids:
                        ids.append(gene)
                elif line.count(b"\t") != tabs:
                    raise UnusableFile(f"{path.name} has a row that is none: {line[:80]!r}")
    if not found:
        raise UnusableFile(f"{path.name} has no HGNC ids")
    genes = {gene for ids in found.values() for gene in ids}
    return Identified({name: sorted(ids) for name, ids in found.items()}, Count(rows, len(genes)))


def _identified(path: Path, line: bytes) -> tuple[str, str]:
    fields = line.split(b"\t")
    number = _HGNC_NUMBER.fullmatch(fields[1])
    protein = fields[0].decode("utf-8", "replace")
    if len(fields) != len(ALIAS_COLUMNS) or number is None or not _PROTEIN.fullmatch(protein):
        raise UnusableFile(f"{path.name} has an HGNC id that is none: {line[:80]!r}")
    return protein, f"HGNC:{number[1].decode()}"
