"""Ensembl's REST service: symbol lookups."""

import json
from typing import Any

from sandbox.call import Call, Reply, as_json
from sandbox.catalogue import Catalogue, Gene

RELEASE = 115
MOST_SYMBOLS = 1_000


class Ensembl:
    """Answers of rest.ensembl.org for humans."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def data(self, call: Call) -> Reply:
        """`/info/data`."""
        call.meet_fault(lambda _: False)
        return Reply(as_json({"releases": [RELEASE]}))

    async def software(self, call: Call) -> Reply:
        """`/info/software`."""
        call.meet_fault(lambda _: False)
        return Reply(as_json({"release": RELEASE}))

    async def lookup(self, call: Call) -> Reply:
        """POST `/lookup/symbol/homo_sapiens`: unknown symbols are left out."""
        symbols = _symbols(call.body)
        call.meet_fault(lambda gene: gene.upper() in {symbol.upper() for symbol in symbols or ()})
        if not symbols:
            return _error(400, 'You must provide a list of "symbols" in a JSON object')
        if len(symbols) > MOST_SYMBOLS:
            # Text from ensembl-rest, lib/EnsEMBL/REST/Role/PostLimiter.pm.
            return _error(
                400,
                f"POST message too large. You have submitted {len(symbols)} elements but a limit "
                f"of {MOST_SYMBOLS} is in place. Request smaller regions or lists of IDs",
            )
        found = {symbol: record(gene) for symbol in symbols if (gene := self._gene(symbol))}
        if (fault := call.spoilt_by("wrong-count")) and found:
            found.pop(fault.gene if fault.gene in found else next(reversed(found)))
        return Reply(as_json(found), genes=[s.upper() for s in symbols], records=len(found))

    async def lookup_one(self, call: Call) -> Reply:
        """GET `/lookup/symbol/homo_sapiens/{symbol}`."""
        symbol = call.values["symbol"]
        call.meet_fault(lambda gene: gene.upper() == symbol.upper())
        gene = self._gene(symbol)
        if gene is None:
            return _error(400, f"No valid lookup found for symbol {symbol}")
        return Reply(as_json(record(gene)), genes=[symbol.upper()], records=1)

    def _gene(self, symbol: str) -> Gene | None:
        gene = self._catalogue.by_symbol.get(symbol.upper())
        return gene if gene and gene.at_ensembl else None


def record(gene: Gene) -> dict[str, Any]:
    """A gene as `lookup/symbol` answers it (without `expand`)."""
    return {
        "species": "homo_sapiens",
        "assembly_name": "GRCh38",
        "source": "ensembl_havana",
        "db_type": "core",
        "version": 1 + gene.index % 20,
        "canonical_transcript": f"ENST{gene.ensembl_id[4:]}.{1 + gene.index % 9}",
        "description": f"{gene.name} [Source:HGNC Symbol;Acc:{gene.hgnc_id}]",
        "seq_region_name": gene.chromosome,
        "end": gene.start + 40_000,
        "display_name": gene.symbol,
        "id": gene.ensembl_id,
        "strand": gene.strand,
        "object_type": "Gene",
        "biotype": "protein_coding",
        "start": gene.start,
        "logic_name": "ensembl_havana_gene_homo_sapiens",
    }


def _symbols(body: bytes) -> list[str] | None:
    try:
        symbols = json.loads(body)["symbols"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        return None
    return list(dict.fromkeys(symbols)) if len(symbols) <= MOST_SYMBOLS else symbols


def _error(status: int, text: str) -> Reply:
    return Reply(as_json({"error": text}), status=status)
