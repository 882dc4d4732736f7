"""Orphanet's genes with their disorders, as Orphadata publishes them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar
from xml.sax.saxutils import escape

from sandbox.catalogue import Gene
from sandbox.known import KNOWN_GENES
from sandbox.service import ServedFile, Service

DATE = "2025-10-14 07:22:31"

WITHOUT_DISORDER = 3
"""Every third synthetic gene has no disorder."""

WITHOUT_HGNC_ID = 50
"""Every fiftieth gene is named by its Ensembl id only."""

_KNOWN = frozenset(gene.symbol for gene in KNOWN_GENES)
_KINDS = ("Disease", "Malformation syndrome", "Clinical subtype")
_ASSOCIATIONS = (
    "Disease-causing germline mutation(s) in",
    "Disease-causing germline mutation(s) (loss of function) in",
    "Major susceptibility factor in",
    "Candidate gene tested in",
)


class Orphanet(Service):
    """Orphadata's product 6, an XML file in ISO-8859-1. The folder has no documented limit."""

    name = "orphanet"
    addresses: ClassVar = {"ORPHANET_FILES_URL": "orphanet"}

    def files(self) -> Sequence[ServedFile]:
        """Return the file."""
        return (
            ServedFile(
                name="orphanet.genes",
                path="/orphanet/en_product6.xml",
                write=_write,
                renames="OrphaCode",
                numbers=("OrphaCode",),
            ),
        )


def disorders(genes: Sequence[Gene]) -> Iterator[tuple[int, list[Gene]]]:
    """Yield the code of each disorder with its genes: one, or two neighbours."""
    before: Gene | None = None
    for gene in genes:
        if gene.symbol not in _KNOWN and gene.index % WITHOUT_DISORDER == WITHOUT_DISORDER - 1:
            continue
        yield 700_000 + gene.index * 2, [gene]
        if gene.index % 5 == 0 and before is not None:
            yield 700_001 + gene.index * 2, [before, gene]
        before = gene


def _write(path: Path, genes: Sequence[Gene]) -> None:
    number = sum(1 for _ in disorders(genes))
    with path.open("w", encoding="iso-8859-1", errors="xmlcharrefreplace", newline="\n") as sink:
        sink.write(
            '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
            f'<JDBOR date="{DATE}" version="1.3.42 / 4.1.8 [2025-03-03] (orientdb version)"'
            ' copyright="Orphanet (c) 2025">\n'
            "  <Availability>\n    <Licence>\n"
            "      <ShortIdentifier>CC-BY-4.0</ShortIdentifier>\n"
            "    </Licence>\n  </Availability>\n"
            f'  <DisorderList count="{number}">\n'
        )
        for code, its_genes in disorders(genes):
            sink.write(_disorder(code, its_genes))
        sink.write("  </DisorderList>\n</JDBOR>\n")


def _disorder(code: int, genes: Sequence[Gene]) -> str:
    # a letter beyond ASCII, and characters that XML escapes
    name = escape(f"Ménière-like {' & '.join(gene.symbol for gene in genes)} <rare> disorder")
    associations = "".join(_association(code, gene) for gene in genes)
    return (
        f'    <Disorder id="{code + 1}">\n'
        f"      <OrphaCode>{code}</OrphaCode>\n"
        f'      <ExpertLink lang="en">http://www.orpha.net/?lng=en&amp;Expert={code}</ExpertLink>\n'
        f'      <Name lang="en">{name}</Name>\n'
        '      <DisorderType id="21394">\n'
        f'        <Name lang="en">{_KINDS[code % len(_KINDS)]}</Name>\n'
        "      </DisorderType>\n"
        '      <DisorderGroup id="36547">\n'
        '        <Name lang="en">Disorder</Name>\n'
        "      </DisorderGroup>\n"
        f'      <DisorderGeneAssociationList count="{len(genes)}">\n'
        f"{associations}"
        "      </DisorderGeneAssociationList>\n"
        "    </Disorder>\n"
    )


def _association(code: int, gene: Gene) -> str:
    articles = f"{code}[PMID]_{code + 1}[PMID]" if code % 4 else ""
    status = "Not yet assessed" if code % 9 == 0 else "Assessed"
    synonyms = "".join(
        f'                <Synonym lang="en">{escape(name)}</Synonym>\n' for name in gene.aliases
    )
    return (
        "        <DisorderGeneAssociation>\n"
        f"          <SourceOfValidation>{articles}</SourceOfValidation>\n"
        f'          <Gene id="{20_000 + gene.index}">\n'
        f'            <Name lang="en">{escape(gene.name)}</Name>\n'
        f"            <Symbol>{escape(gene.symbol)}</Symbol>\n"
        f'            <SynonymList count="{len(gene.aliases)}">\n{synonyms}'
        "            </SynonymList>\n"
        '            <GeneType id="25993">\n'
        '              <Name lang="en">gene with protein product</Name>\n'
        "            </GeneType>\n"
        f"{_references(gene)}"
        '            <LocusList count="1">\n'
        f'              <Locus id="{gene.index}">\n'
        f"                <GeneLocus>{escape(gene.location)}</GeneLocus>\n"
        "                <LocusKey>1</LocusKey>\n"
        "              </Locus>\n"
        "            </LocusList>\n"
        "          </Gene>\n"
        '          <DisorderGeneAssociationType id="17949">\n'
        f'            <Name lang="en">{_ASSOCIATIONS[code % len(_ASSOCIATIONS)]}</Name>\n'
        "          </DisorderGeneAssociationType>\n"
        '          <DisorderGeneAssociationStatus id="17991">\n'
        f'            <Name lang="en">{status}</Name>\n'
        "          </DisorderGeneAssociationStatus>\n"
        "        </DisorderGeneAssociation>\n"
    )


def _references(gene: Gene) -> str:
    found = {"Ensembl": gene.ensembl_id, "Genatlas": gene.symbol}
    if gene.index % WITHOUT_HGNC_ID != WITHOUT_HGNC_ID - 1:
        found["HGNC"] = gene.hgnc_id.removeprefix("HGNC:")
    references = "".join(
        f'              <ExternalReference id="{gene.index}">\n'
        f"                <Source>{source}</Source>\n"
        f"                <Reference>{escape(reference)}</Reference>\n"
        "              </ExternalReference>\n"
        for source, reference in found.items()
    )
    return (
        f'            <ExternalReferenceList count="{len(found)}">\n'
        f"{references}"
        "            </ExternalReferenceList>\n"
    )
