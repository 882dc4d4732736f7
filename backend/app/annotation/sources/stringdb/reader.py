"""Answers about genes from STRING's three files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.annotation.sources.keyed import ReaderRequest, in_parts
from app.annotation.sources.stringdb.data import LEVELS, Partner, StringDbData
from app.annotation.sources.stringdb.links import Links, Partners
from app.annotation.sources.stringdb.proteins import read_aliases, read_info
from app.annotation.upstream.bulk_files.messages import Reading


class _Found(NamedTuple):
    """A gene that STRING has."""

    proteins: Sequence[str]
    partners: Partners


def read(request: Any, info: Path, aliases: Path, links: Path) -> Reading:
    """Return the partners of each requested gene. This is the files' reader."""
    genes = ReaderRequest.of(request).genes
    named = read_info(info)
    identified = read_aliases(aliases)
    proteins: dict[str, list[str]] = {}
    keys: dict[str, str] = {}
    for protein in sorted(named.symbols):
        ids = identified.ids.get(protein, ())
        keys[protein] = ids[0] if ids else protein
        for hgnc_id in ids:
            proteins.setdefault(hgnc_id, []).append(protein)
    found: dict[str, _Found] = {}
    by_protein: dict[bytes, list[Partners]] = {}
    for gene in genes:
        of_gene = proteins.get(gene.hgnc_id)
        if of_gene and gene.hgnc_id not in found:
            own = {gene.hgnc_id, *(keys[protein] for protein in of_gene)}
            partners = Partners(own)
            found[gene.hgnc_id] = _Found(of_gene, partners)
            for protein in of_gene:
                by_protein.setdefault(protein.encode(), []).append(partners)
    reader = Links(by_protein, {protein.encode(): key for protein, key in keys.items()})
    size = reader.read(links)
    names = _names(named.symbols, keys)
    answers = (_data(found.get(gene.hgnc_id), names) for gene in genes)
    return Reading([named.size, identified.size, size], in_parts(answers))


def _names(symbols: Mapping[str, str | None], keys: Mapping[str, str]) -> dict[str, Partner]:
    """Name each key. Of several proteins, the first one that has a symbol gives the symbol."""
    names: dict[str, Partner] = {}
    for protein, key in keys.items():
        before = names.get(key)
        if before is None or before.symbol is None:
            gene = None if key == protein else key
            first = before.protein if before else protein
            names[key] = Partner(symbols[protein], gene, first, 0)
    return names


def _data(gene: _Found | None, names: Mapping[str, Partner]) -> StringDbData | None:
    if gene is None:
        return None
    medium, high, highest = map(gene.partners.count, LEVELS)
    partners = []
    for key, score in gene.partners.strongest():
        # a protein that only the links have has neither a name nor an HGNC id
        symbol, hgnc_id, protein = None, None, key
        if key in names:
            symbol, hgnc_id, protein = names[key].symbol, names[key].hgnc_id, names[key].protein
        partners.append(Partner(symbol, hgnc_id, protein, score))
    return StringDbData(list(gene.proteins), medium, high, highest, partners)
