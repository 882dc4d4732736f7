"""Reads Orphanet's genes with their disorders (`en_product6.xml`), and makes the data of genes."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from app.annotation.sources.answers import Gene
from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.orphanet.data import OrphanetData, OrphanetDisease
from app.annotation.sources.orphanet.elements import Elements
from app.annotation.upstream.bulk_files.lines import UnusableFile
from app.annotation.upstream.bulk_files.messages import Reading

_CODE = re.compile(r"[1-9]\d{0,9}", re.ASCII)
_HGNC = re.compile(r"(?:HGNC:)?([1-9]\d{0,9})", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?: \d{2}:\d{2}:\d{2})?", re.ASCII)
_ARTICLE = re.compile(r"(\d+)\[PMID\]", re.ASCII)


class Association(NamedTuple):
    """A gene's association with a disorder.

    Attributes:
        symbol: the symbol of the gene.
        hgnc_id: the HGNC id of the gene, or None.
        ensembl_id: the Ensembl id of the gene, or None.
        disorder: with what the association is.
    """

    symbol: str
    hgnc_id: str | None
    ensembl_id: str | None
    disorder: OrphanetDisease


def read(request: Any, path: Path) -> Reading:
    """Return the data of each requested gene.

    Orphanet names nearly all genes by their HGNC ids. Where it does not, the Ensembl id tells, or
    else the symbol.
    """
    request = ReaderRequest.of(request)
    named = _Names(request.genes)
    rows = Grouped[OrphanetDisease | str](request, "hgnc_id")
    file = Elements(path, "Disorder")
    disorders = 0
    for disorder in file:
        disorders += 1
        for association in _associations(path, disorder):
            key = association.hgnc_id or named.hgnc_id_of(association)
            rows.add(key or association.symbol, association.disorder)
            if key is None:
                for other in named.ambiguous.get(association.symbol, ()):
                    reason = (
                        f"Orphanet has {association.symbol}, which may be this gene or another one"
                    )
                    rows.add(other, reason)
    stated = file.around.get("DisorderList", {}).get("count")
    if stated is not None and stated != str(disorders):
        raise UnusableFile(f"{path.name} has {disorders:,} of {stated} disorders")
    day = _DATE.fullmatch(file.around.get("JDBOR", {}).get("date", ""))
    if day is None:
        raise UnusableFile(f"{path.name} does not state its date")
    return reading([rows], _data, release=day[1])


class _Names:
    """The genes that were asked for, by what names them besides the HGNC id."""

    def __init__(self, genes: Sequence[Gene]) -> None:
        self._by_ensembl_id = {
            gene.ensembl_gene_id: gene for gene in genes if gene.ensembl_gene_id is not None
        }
        former = {name: gene for gene in genes for name in gene.other_symbols}
        self._by_symbol = former | {gene.symbol: gene for gene in genes}
        self.ambiguous: dict[str, list[str]] = {}
        for gene in genes:
            for name in gene.ambiguous_symbols:
                self.ambiguous.setdefault(name, []).append(gene.hgnc_id)

    def hgnc_id_of(self, association: Association) -> str | None:
        """Return the gene with the Ensembl id; with the symbol if its own id is not known."""
        ensembl_id = association.ensembl_id
        if ensembl_id is not None and ensembl_id in self._by_ensembl_id:
            return self._by_ensembl_id[ensembl_id].hgnc_id
        gene = self._by_symbol.get(association.symbol)
        if gene is None or (ensembl_id is not None and gene.ensembl_gene_id is not None):
            return None
        return gene.hgnc_id


def _data(rows: Sequence[OrphanetDisease | str]) -> OrphanetData | str | None:
    if doubts := [row for row in rows if isinstance(row, str)]:
        return doubts[0]
    disorders = [row for row in rows if isinstance(row, OrphanetDisease)]

    def place(disorder: OrphanetDisease) -> tuple[int, str]:
        return int(disorder.disease_id.removeprefix("ORPHA:")), disorder.association

    return OrphanetData(sorted(disorders, key=place))


def _associations(path: Path, disorder: Element) -> Iterator[Association]:
    code = _text(path, disorder, "OrphaCode")
    if not _CODE.fullmatch(code):
        raise UnusableFile(f"{path.name}: {code[:40]!r} is not an ORPHA code")
    name = _text(path, disorder, "Name")
    kind = _text(path, disorder, "DisorderType/Name")
    for each in _counted(path, disorder, "DisorderGeneAssociationList", "DisorderGeneAssociation"):
        found = OrphanetDisease(
            disease_id=f"ORPHA:{code}",
            disease=name,
            kind=kind,
            association=_text(path, each, "DisorderGeneAssociationType/Name"),
            status=_text(path, each, "DisorderGeneAssociationStatus/Name"),
            pmids=[
                int(each) for each in _ARTICLE.findall(each.findtext("SourceOfValidation") or "")
            ],
        )
        gene = each.find("Gene")
        if gene is None:
            raise UnusableFile(f"{path.name}: an association of {found.disease_id} has no gene")
        references = {
            _text(path, reference, "Source"): _text(path, reference, "Reference")
            for reference in _counted(path, gene, "ExternalReferenceList", "ExternalReference")
        }
        number = references.get("HGNC")
        key = _HGNC.fullmatch(number) if number else None
        if number and key is None:
            raise UnusableFile(f"{path.name}: {number[:40]!r} is not an HGNC id")
        yield Association(
            symbol=_text(path, gene, "Symbol"),
            hgnc_id=f"HGNC:{key[1]}" if key else None,
            ensembl_id=references.get("Ensembl"),
            disorder=found,
        )


def _counted(path: Path, parent: Element, name: str, child: str) -> list[Element]:
    """Return the children of a list, whose number the list states."""
    found = parent.find(name)
    if found is None:
        raise UnusableFile(f"{path.name}: a {parent.tag} has no {name}")
    children = found.findall(child)
    if found.get("count") != str(len(children)):
        raise UnusableFile(
            f"{path.name}: a {name} has {len(children)} of {found.get('count')} elements"
        )
    return children


def _text(path: Path, parent: Element, name: str) -> str:
    text = (parent.findtext(name) or "").strip()
    if not text:
        raise UnusableFile(f"{path.name}: a {parent.tag} has no {name}")
    return text
