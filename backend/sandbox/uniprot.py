"""UniProt's REST service: the pages of a search as TSV."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import ClassVar, NamedTuple
from urllib.parse import urlencode

from sandbox.call import Call, Reply, as_json
from sandbox.catalogue import Catalogue, Gene
from sandbox.mixing import mix
from sandbox.service import Endpoint, Service

COLUMNS = {
    "accession": "Entry",
    "id": "Entry Name",
    "protein_name": "Protein names",
    "gene_names": "Gene Names",
    "organism_name": "Organism",
    "cc_function": "Function [CC]",
    "ft_domain": "Domain [FT]",
    "cc_subcellular_location": "Subcellular location [CC]",
    "cc_disease": "Involvement in disease",
    "length": "Length",
    "xref_hgnc": "HGNC",
    "reviewed": "Reviewed",
}
"""The supported columns, by field."""

WITHOUT_ENTRY = {63, 87}
"""Places (index modulo 100) of the genes that no reviewed entry names."""

SHARED_WITH_NEXT = 71
"""The place of the gene that shares its entry with the next gene, as histones do."""

WITH_SECOND_ENTRY = 7
"""Every seventh gene has a second, shorter entry."""

_MAX_PAGE = 500
_PUBLIC = "https://rest.uniprot.org/uniprotkb/search"
_HUMAN = re.compile(r"organism_id:9606\b")
_REVIEWED = re.compile(r"reviewed:true\b")
_UNNAMED_EVERY = 400
_DOWN = b'{"url":"http://rest.uniprot.org/uniprotkb/search","messages":["Internal server error"]}'


class Entry(NamedTuple):
    """An entry: its number and its genes, which are empty if it names no HGNC id."""

    number: int
    genes: tuple[Gene, ...]
    second: bool = False


class UniProt(Service):
    """Searches of rest.uniprot.org for reviewed human entries.

    The service documents no limit; the rate is conservative. Tests may set the attributes.

    Attributes:
        release: the release in the headers of every answer.
    """

    name = "uniprot"
    addresses: ClassVar = {"UNIPROT_REST_URL": "uniprot"}
    rates: ClassVar = {"uniprot": 3.0}
    rate_settings: ClassVar = {"UNIPROT_RATE": "uniprot"}

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.release = "2025_04"

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the search."""
        return (
            Endpoint(
                name="uniprot.search",
                path="/uniprot/uniprotkb/search",
                answer=self.search,
                budget="uniprot",
                miscounts=True,
                error_body=_DOWN,
            ),
        )

    @cached_property
    def entries(self) -> list[Entry]:
        """All entries, in the order of the search."""
        return [
            Entry(number, genes, second)
            for number, (genes, second) in enumerate(_entries(self.catalogue.genes))
        ]

    async def search(self, call: Call) -> Reply:
        """`/uniprotkb/search`."""
        fields = call.params.get("fields", "accession,id").split(",")
        refusal = _what_is_wrong(call.params, fields)
        start = _start(call.params.get("cursor"), len(self.entries))
        if refusal is None and start is None:
            refusal = "Invalid cursor"
        size = int(call.params.get("size", "25")) if refusal is None else 0
        entries = self.entries[start or 0 :][:size] if refusal is None else []
        symbols = [gene.symbol for entry in entries for gene in entry.genes]
        call.meet_fault(lambda gene: gene.upper() in map(str.upper, symbols))
        if refusal is not None or start is None:
            body = {"url": _PUBLIC.replace("https", "http"), "messages": [refusal]}
            return Reply(as_json(body), 400)
        rows = [row(entry) for entry in entries]
        if call.spoilt_by("wrong-count") and rows:
            rows.pop()
        lines = ["\t".join(COLUMNS[field] for field in fields)]
        lines += ["\t".join(each[field] for field in fields) for each in rows]
        headers = {
            "X-Total-Results": str(len(self.entries)),
            "X-UniProt-Release": self.release,
            "X-UniProt-Release-Date": "15-October-2025",
        }
        end = start + size
        if end < len(self.entries):
            query = {**call.params, "cursor": _cursor(end)}
            headers["Link"] = f'<{_PUBLIC}?{urlencode(query)}>; rel="next"'
        text = "".join(f"{line}\n" for line in lines)
        return Reply(
            text.encode(),
            media_type="text/plain;format=tsv",
            headers=headers,
            genes=symbols,
            page=(start, size),
            records=len(rows),
        )


def _what_is_wrong(params: dict[str, str], fields: Sequence[str]) -> str | None:
    query = params.get("query", "")
    if not _HUMAN.search(query) or not _REVIEWED.search(query):
        return "The sandbox knows reviewed human entries only"
    if params.get("format") != "tsv":
        return "The sandbox answers TSV only"
    for field in fields:
        if field not in COLUMNS:
            return f"Invalid fields parameter value '{field}'"
    size = params.get("size", "25")
    if not size.isdecimal() or int(size) > _MAX_PAGE:
        return f"Invalid value for 'size'. It must be between 0 and {_MAX_PAGE}"
    return None


def _cursor(start: int) -> str:
    return urlsafe_b64encode(f"sandbox-{start}".encode()).decode().rstrip("=")


def _start(cursor: str | None, most: int) -> int | None:
    if cursor is None:
        return 0
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        return None
    number = text.removeprefix("sandbox-")
    return int(number) if number.isdecimal() and int(number) < most else None


def _entries(genes: Sequence[Gene]) -> Iterator[tuple[tuple[Gene, ...], bool]]:
    for gene in genes:
        place = gene.index % 100
        if place == SHARED_WITH_NEXT + 1 and gene.index:
            continue  # shares the entry of the previous gene
        if place == SHARED_WITH_NEXT:
            yield tuple(genes[gene.index : gene.index + 2]), False
        elif place not in WITHOUT_ENTRY:
            yield (gene,), False
        if gene.index % WITH_SECOND_ENTRY == 0 and place not in WITHOUT_ENTRY:
            yield (gene,), True
        if gene.index % _UNNAMED_EVERY == _UNNAMED_EVERY - 1:
            yield (), False


def accession(number: int) -> str:
    """Return the accession of an entry, such as `A0A0A0AAAB0` or `Q00AA1`."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rest, last = divmod(number, 10)
    rest, first = divmod(rest, 26)
    rest, second = divmod(rest, 26)
    return f"Q{rest % 10}{letters[first]}{letters[second]}{rest // 10 % 10}{last}"


def row(entry: Entry) -> dict[str, str]:
    """Return an entry as UniProt writes it in TSV, by field."""
    number, genes, second = entry
    length = 90 if second else 120 + mix(11, number) % 2_000
    symbol = genes[0].symbol if genes else f"UNNAMED{number}"
    name = genes[0].name if genes else "uncharacterized protein"
    title = f"{'Alternative p' if second else 'P'}rotein {name} (EC 3.4.24.-) ({symbol}(+) protein)"
    return {
        "accession": accession(number),
        "id": f"{symbol[:8]}{'B' if second else ''}_HUMAN",
        "protein_name": title,
        "gene_names": "; ".join(" ".join((gene.symbol, *gene.aliases)) for gene in genes),
        "organism_name": "Homo sapiens (Human)",
        "cc_function": _function(number, symbol),
        "ft_domain": _domains(number, length),
        "cc_subcellular_location": _locations(number),
        "cc_disease": _diseases(number, symbol),
        "length": str(length),
        "xref_hgnc": "".join(f"{gene.hgnc_id};" for gene in genes),
        "reviewed": "reviewed",
    }


def _evidence(number: int) -> str:
    return f"{{ECO:0000269|PubMed:{10_000_000 + number}, ECO:0000305|PubMed:{11_000_000 + number}}}"


def _function(number: int, symbol: str) -> str:
    if number % 10 == 9:  # noqa: PLR2004 - one in ten says nothing
        return ""
    text = f"FUNCTION: Does what {symbol} does (PubMed:{10_000_000 + number}). {_evidence(number)}."
    if number % 8 == 0:
        text += f"; FUNCTION: [Isoform 2]: Does it more slowly. {_evidence(number)}."
    return text


def _domains(number: int, length: int) -> str:
    if number % 3 == 0:
        return ""
    half = length // 2
    first = f'DOMAIN 1..{half}; /note="PH {number % 4}"; /evidence="ECO:0000255|PROSITE-ProRule:1"'
    if number % 5:
        return first
    return f'{first}; DOMAIN {half + 1}..>{length}; /note="SH3"'


def _locations(number: int) -> str:
    if number % 6 == 0:
        return ""
    proof = _evidence(number)
    text = f"SUBCELLULAR LOCATION: Cell membrane {proof}; Multi-pass membrane protein {proof}."
    text += f" Cytoplasm, cytoskeleton {proof}. Note=Moves. It does so on demand. {proof}."
    if number % 7 == 0:
        text += f"; SUBCELLULAR LOCATION: [Isoform 2]: Nucleus {proof}."
    return text


def _diseases(number: int, symbol: str) -> str:
    if number % 4:
        return ""
    text = (
        f"DISEASE: Kidney disease {number} (KD{number}) [MIM:{600_000 + number}]: A disease of the"
        f" sandbox. {_evidence(number)}. Note=The disease is caused by variants affecting the gene"
        " represented in this entry."
    )
    if number % 16 == 0:
        text += f"; DISEASE: Note=Variants in {symbol} may be involved. {_evidence(number)}."
    return text
