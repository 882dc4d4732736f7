"""Ensembl's REST service: lookups by id and by symbol."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from sandbox.call import Call, Handler, Reply, as_json
from sandbox.catalogue import Gene
from sandbox.limits import Verdict
from sandbox.service import Endpoint, Service

RELEASE = 115
MAX_IDS = 1_000


_FAILED = b'{"error":"something bad has happened"}'
_TOO_MANY = b'{"error":"You have exceeded the limit of requests per second; wait and retry"}'
_SYMBOL = "/ensembl/lookup/symbol/homo_sapiens"


class Ensembl(Service):
    """Answers of rest.ensembl.org for humans: 15 requests a second (its wiki, "Rate Limits")."""

    name = "ensembl"
    addresses: ClassVar = {"ENSEMBL_REST_URL": "ensembl"}
    rates: ClassVar = {"ensembl": 15.0}
    rate_settings: ClassVar = {"ENSEMBL_RATE": "ensembl"}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of the lookups and of the service's information."""
        return (
            _endpoint("ensembl.info", "/ensembl/info/data", self.data),
            Endpoint(
                name="ensembl.software",
                path="/ensembl/info/software",
                answer=self.software,
                budget="ensembl",
            ),
            _endpoint("ensembl.lookup", _SYMBOL, self.lookup, methods="POST", miscounts=True),
            _endpoint(
                "ensembl.lookup.id",
                "/ensembl/lookup/id",
                self.lookup_ids,
                methods="POST",
                miscounts=True,
            ),
            _endpoint("ensembl.lookup_symbol", f"{_SYMBOL}/{{symbol}}", self.lookup_one),
        )

    def rate_headers(self, budget: str, verdict: Verdict) -> dict[str, str]:
        """Return Ensembl's limit for an hour: 55,000 requests (its wiki, "Rate Limits")."""
        del budget
        if verdict.limit is None:
            return {}
        return {
            "X-RateLimit-Limit": "55000",
            "X-RateLimit-Remaining": str(50_000 + verdict.remaining),
            "X-RateLimit-Reset": "1800",
            "X-RateLimit-Period": "3600",
        }

    def too_many(
        self, budget: str, verdict: Verdict, client: str, seconds: float | None = None
    ) -> Reply:
        """Return Ensembl's 429, in JSON."""
        reply = super().too_many(budget, verdict, client, seconds)
        return Reply(_TOO_MANY, 429, headers=reply.headers)

    async def data(self, call: Call) -> Reply:
        """`/info/data`."""
        call.meet_fault(lambda _: False)
        return Reply(as_json({"releases": [RELEASE]}))

    async def software(self, call: Call) -> Reply:
        """`/info/software`."""
        call.meet_fault(lambda _: False)
        return Reply(as_json({"release": RELEASE}))

    async def lookup(self, call: Call) -> Reply:
        """POST `/lookup/symbol/homo_sapiens`: unknown symbols are missing from the answer."""
        symbols = _listed(call.body, "symbols")
        call.meet_fault(lambda gene: gene.upper() in {symbol.upper() for symbol in symbols or ()})
        if not symbols or len(symbols) > MAX_IDS:
            return _refused("symbols", symbols)
        found = {symbol: record(gene) for symbol in symbols if (gene := self._gene(symbol))}
        if (fault := call.spoilt_by("wrong-count")) and found:
            found.pop(fault.gene if fault.gene in found else next(reversed(found)))
        return Reply(as_json(found), genes=[s.upper() for s in symbols], records=len(found))

    async def lookup_ids(self, call: Call) -> Reply:
        """POST `/lookup/id`: unknown ids are null."""
        ids = _listed(call.body, "ids")
        genes = {id_: self.catalogue.by_ensembl_id.get(id_) for id_ in ids or ()}
        symbols = {each: gene.symbol if gene else each for each, gene in genes.items()}
        call.meet_fault(lambda gene: gene.upper() in map(str.upper, symbols.values()))
        if not ids or len(ids) > MAX_IDS:
            return _refused("ids", ids)
        found = {
            each: record(gene) if gene and gene.at_ensembl else None for each, gene in genes.items()
        }
        if (fault := call.spoilt_by("wrong-count")) and found:
            lost = next((each for each, symbol in symbols.items() if symbol == fault.gene), None)
            found.pop(lost or next(reversed(found)))
        records = sum(each is not None for each in found.values())
        return Reply(as_json(found), genes=[s.upper() for s in symbols.values()], records=records)

    async def lookup_one(self, call: Call) -> Reply:
        """GET `/lookup/symbol/homo_sapiens/{symbol}`."""
        symbol = call.values["symbol"]
        call.meet_fault(lambda gene: gene.upper() == symbol.upper())
        gene = self._gene(symbol)
        if gene is None:
            return _error(400, f"No valid lookup found for symbol {symbol}")
        return Reply(as_json(record(gene)), genes=[symbol.upper()], records=1)

    def _gene(self, symbol: str) -> Gene | None:
        gene = self.catalogue.by_symbol.get(symbol.upper())
        return gene if gene and gene.at_ensembl else None


def _endpoint(name: str, path: str, answer: Handler, **more: Any) -> Endpoint:
    return Endpoint(
        name=name, path=path, answer=answer, budget="ensembl", error_body=_FAILED, **more
    )


def record(gene: Gene) -> dict[str, Any]:
    """Return a gene in the form of `lookup/symbol` (without `expand`)."""
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


def _listed(body: bytes, name: str) -> list[str] | None:
    try:
        listed = json.loads(body)[name]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return None
    return list(dict.fromkeys(listed)) if len(listed) <= MAX_IDS else listed


def _refused(name: str, listed: list[str] | None) -> Reply:
    if not listed:
        return _error(400, f'You must provide a list of "{name}" in a JSON object')
    # Text from ensembl-rest, lib/EnsEMBL/REST/Role/PostLimiter.pm.
    return _error(
        400,
        f"POST message too large. You have submitted {len(listed)} elements but a limit of"
        f" {MAX_IDS} is in place. Request smaller regions or lists of IDs",
    )


def _error(status: int, text: str) -> Reply:
    return Reply(as_json({"error": text}), status=status)
