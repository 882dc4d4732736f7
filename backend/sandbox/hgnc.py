"""HGNC's REST service and its two tab-separated files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from sandbox.call import Call, Reply, as_json
from sandbox.catalogue import Catalogue, Gene, Withdrawn
from sandbox.mixing import mix
from sandbox.service import Endpoint, ServedFile, Service

#: Columns of hgnc_complete_set.txt, in the file's order.
COLUMNS = (
    "hgnc_id", "symbol", "name", "locus_group", "locus_type", "status", "location",
    "location_sortable", "alias_symbol", "alias_name", "prev_symbol", "prev_name", "gene_group",
    "gene_group_id", "date_approved_reserved", "date_symbol_changed", "date_name_changed",
    "date_modified", "entrez_id", "ensembl_gene_id", "vega_id", "ucsc_id", "ena",
    "refseq_accession", "ccds_id", "uniprot_ids", "pubmed_id", "mgd_id", "rgd_id", "lsdb", "cosmic",
    "omim_id", "mirbase", "homeodb", "snornabase", "bioparadigms_slc", "orphanet", "pseudogene.org",
    "horde_id", "merops", "imgt", "iuphar", "kznf_gene_catalog", "mamit-trnadb", "cd", "lncrnadb",
    "enzyme_id", "intermediate_filament_db", "rna_central_id", "lncipedia", "gtrnadb", "agr",
    "mane_select", "gencc",
)  # fmt: skip

_WITHDRAWN_COLUMNS = (
    "HGNC_ID", "STATUS", "WITHDRAWN_SYMBOL", "MERGED_INTO_REPORT(S) (i.e HGNC_ID|SYMBOL|STATUS)",
)  # fmt: skip

SEARCHABLE = (
    "hgnc_id", "symbol", "alias_symbol", "prev_symbol", "entrez_id", "ensembl_gene_id", "status",
)  # fmt: skip

#: Genes that are not protein-coding. Only HGNC's answers contain them, and an import of
#: protein-coding genes must skip them.
_NON_CODING = (
    ("HGNC:990101", "SYNLNC1", "non-coding RNA", "RNA, long non-coding"),
    ("HGNC:990102", "SYNMIR1", "non-coding RNA", "RNA, micro"),
    ("HGNC:990103", "SYNPS1P", "pseudogene", "pseudogene"),
)

LAST_MODIFIED = "2025-10-31T00:00:00Z"


_FETCH_ERROR = (
    b'{"responseHeader":{"status":500,"QTime":2},"error":{"msg":"no servers","code":500}}'
)


class Hgnc(Service):
    """Answers of rest.genenames.org, and HGNC's files.

    The service allows 10 requests a second (https://www.genenames.org/help/rest/).
    """

    name = "hgnc"
    addresses: ClassVar = {"HGNC_REST_URL": "hgnc", "HGNC_FILES_URL": "hgnc-files"}
    rates: ClassVar = {"hgnc": 10.0}
    rate_settings: ClassVar = {"HGNC_RATE": "hgnc"}

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self._index: dict[str, dict[str, list[Callable[[], dict[str, Any]]]]] = {
            name: {} for name in SEARCHABLE
        }
        for gene in catalogue.genes:
            self._add(lambda gene=gene: document(gene), gene.symbol, gene.hgnc_id)  # type: ignore[misc]
            for name, values in (
                ("alias_symbol", gene.aliases),
                ("prev_symbol", gene.previous),
                ("entrez_id", (gene.entrez_id,)),
                ("ensembl_gene_id", filter(None, (gene.ensembl_gene_id,))),
            ):
                for value in values:
                    self._index[name].setdefault(value.upper(), []).append(
                        lambda gene=gene: document(gene)  # type: ignore[misc]
                    )
        for entry in catalogue.withdrawn:
            self._add(lambda entry=entry: withdrawn(entry), entry.symbol, entry.hgnc_id)  # type: ignore[misc]
        for row in _NON_CODING:
            self._add(lambda row=row: _non_coding(*row), row[1], row[0])  # type: ignore[misc]

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the REST service."""
        return (
            Endpoint(
                name="hgnc.info",
                path="/hgnc/info",
                answer=self.info,
                budget="hgnc",
                error_body=b'{"error":"something bad has happened"}',
            ),
            Endpoint(
                name="hgnc.fetch",
                path="/hgnc/fetch/{field}/{value}",
                answer=self.fetch,
                budget="hgnc",
                miscounts=True,
                error_body=_FETCH_ERROR,
            ),
        )

    def files(self) -> Sequence[ServedFile]:
        """Return the complete set and the withdrawn entries."""
        return (
            ServedFile(
                name="hgnc.complete_set",
                path="/hgnc-files/tsv/tsv/hgnc_complete_set.txt",
                write=lambda path, genes: _write(path, complete_set(genes)),
                renames="hgnc_id",
            ),
            ServedFile(
                name="hgnc.withdrawn",
                path="/hgnc-files/tsv/tsv/withdrawn.txt",
                write=lambda path, genes: _write(path, withdrawn_lines(self._withdrawn(genes))),
                renames="HGNC_ID",
            ),
        )

    def _withdrawn(self, genes: Sequence[Gene]) -> Sequence[Withdrawn]:
        """Return the share of the withdrawn entries that equals the share of the genes."""
        entries = self.catalogue.withdrawn
        return entries[: len(entries) * len(genes) // len(self.catalogue.genes)]

    def _add(self, make: Callable[[], dict[str, Any]], symbol: str, hgnc_id: str) -> None:
        self._index["symbol"].setdefault(symbol.upper(), []).append(make)
        self._index["hgnc_id"].setdefault(hgnc_id, []).append(make)

    async def info(self, call: Call) -> Reply:
        """`/info`: the time of the last change, and the number of records."""
        call.meet_fault(lambda _: False)
        if refusal := _refuse_xml(call):
            return refusal
        return Reply(
            as_json(
                {
                    "responseHeader": {"status": 0, "QTime": 3},
                    "lastModified": LAST_MODIFIED,
                    "numDoc": len(self._index["hgnc_id"]),
                    "searchableFields": list(SEARCHABLE),
                    "storedFields": [*COLUMNS, "uuid"],
                }
            )
        )

    async def fetch(self, call: Call) -> Reply:
        """`/fetch/{field}/{value}`: all documents with exactly that value."""
        name, value = call.values["field"], call.values["value"].upper()
        if name == "hgnc_id" and not value.startswith("HGNC:"):
            value = f"HGNC:{value}"
        makers = self._index.get(name, {}).get(value, [])
        documents = [make() for make in makers]
        symbols = [str(found["symbol"]) for found in documents]
        call.meet_fault(lambda gene: gene.upper() in {value, *map(str.upper, symbols)})
        if refusal := _refuse_xml(call):
            return refusal
        if name not in self._index:
            return Reply(b'{"error":"unknown field"}', status=400)
        found = len(documents) + (1 if call.spoilt_by("wrong-count") else 0)
        body = {
            "responseHeader": {"status": 0, "QTime": 1},
            "response": {
                "numFound": found,
                "start": 0,
                "numFoundExact": True,
                "docs": documents,
            },
        }
        return Reply(as_json(body), genes=symbols or [value], records=len(documents))


def _write(path: Path, lines: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        sink.writelines(lines)


def _refuse_xml(call: Call) -> Reply | None:
    if "json" in call.headers.get("accept", ""):
        return None
    return Reply(
        b"The service answers XML here; the sandbox answers JSON only (Accept: application/json)",
        status=406,
        media_type="text/plain",
    )


def document(gene: Gene) -> dict[str, Any]:
    """Return a gene in HGNC's form. Fields without a value are omitted."""
    number = int(gene.hgnc_id.removeprefix("HGNC:"))
    fields: dict[str, Any] = {
        "hgnc_id": gene.hgnc_id,
        "symbol": gene.symbol,
        "name": gene.name,
        "status": "Approved",
        "locus_group": "protein-coding gene",
        "locus_type": "gene with protein product",
        "location": gene.location,
        "alias_symbol": list(gene.aliases),
        "prev_symbol": list(gene.previous),
        "entrez_id": gene.entrez_id,
        "ensembl_gene_id": gene.ensembl_gene_id,
        "refseq_accession": [f"NM_{9_000_000 + gene.index:09d}"],
        "mane_select": [f"ENST{number:011d}.1", f"NM_{9_000_000 + gene.index:09d}.3"],
        "date_approved_reserved": f"{1986 + number % 30}-0{1 + number % 9}-14T00:00:00Z",
        "date_modified": f"2023-01-{1 + number % 28:02d}T00:00:00Z",
        "agr": gene.hgnc_id,
        "uuid": str(UUID(int=mix(1, number) << 64 | mix(2, number))),
    }
    return {name: value for name, value in fields.items() if value}


def withdrawn(entry: Withdrawn) -> dict[str, Any]:
    """Return a withdrawn entry in HGNC's form."""
    return {
        "hgnc_id": entry.hgnc_id,
        "symbol": entry.symbol,
        "name": "entry withdrawn",
        "status": "Entry Withdrawn",
        "locus_group": "withdrawn",
        "locus_type": "withdrawn",
        "date_modified": "2010-06-02T00:00:00Z",
        "uuid": str(UUID(int=mix(3, int(entry.hgnc_id.removeprefix("HGNC:"))))),
    }


def _non_coding(hgnc_id: str, symbol: str, group: str, kind: str) -> dict[str, Any]:
    return {
        "hgnc_id": hgnc_id,
        "symbol": symbol,
        "name": f"{kind} of the sandbox",
        "status": "Approved",
        "locus_group": group,
        "locus_type": kind,
        "location": "1p36.1",
        "date_modified": "2023-01-20T00:00:00Z",
    }


def complete_set(genes: Sequence[Gene]) -> Iterator[str]:
    """Yield the lines of hgnc_complete_set.txt, in which fields with a pipe are quoted."""
    yield "\t".join(COLUMNS) + "\n"
    for gene in genes:
        yield _line(document(gene))
    for row in _NON_CODING if genes else ():
        yield _line(_non_coding(*row))


def _line(fields: dict[str, Any]) -> str:
    texts = []
    for name in COLUMNS:
        value = fields.get(name, "")
        text = "|".join(value) if isinstance(value, list) else str(value)
        if name.startswith("date_"):
            text = text.removesuffix("T00:00:00Z")
        elif name == "location_sortable" and "location" in fields:
            text = (
                fields["location"] if fields["location"][1].isdigit() else f"0{fields['location']}"
            )
        texts.append(f'"{text}"' if "|" in text else text)
    return "\t".join(texts) + "\n"


def withdrawn_lines(entries: Sequence[Withdrawn]) -> Iterator[str]:
    """Yield the lines of withdrawn.txt."""
    yield "\t".join(_WITHDRAWN_COLUMNS) + "\n"
    for entry in entries:
        status = "Merged/Split" if entry.merged_into else "Entry Withdrawn"
        into = ", ".join(f"{gene.hgnc_id}|{gene.symbol}|Approved" for gene in entry.merged_into)
        yield f"{entry.hgnc_id}\t{status}\t{entry.symbol}\t{into}\n"
