"""UniProt's entries, collected from the sandbox."""

import msgspec
import pytest

from app.annotation.sources.uniprot.data import UniProtData
from app.annotation.upstream import BadAnswer, UpstreamUnavailable


async def answers(source, genes):
    return {each.gene_id: each async for part in source.bulk(genes) for each in part}


async def test_a_gene_is_found_with_its_entries_or_absent(source, sandbox, genes) -> None:
    uniprot = source("uniprot")
    found = await answers(uniprot, genes)
    by_symbol = {gene.symbol: found[gene.id] for gene in genes}
    data = msgspec.convert(by_symbol["PKD1"].data, UniProtData)

    assert [each.length for each in data.entries] == [551, 90]
    assert data.entries[0].entry_name == "PKD1_HUMAN"
    assert data.entries[0].diseases[0].disease_id == "OMIM:600000"
    assert data.entries[1].subcellular_locations == ["Cell membrane", "Cytoplasm, cytoskeleton"]
    absent = [gene.symbol for gene in genes if found[gene.id].state == "absent"]
    assert absent == [sandbox.catalogue.genes[place].symbol for place in (63, 87)]
    # two genes share an entry
    assert found[72].data == found[73].data
    assert uniprot.file_release.name == "2025_04"
    assert uniprot.files[0].rows == len(sandbox.services["uniprot"].entries)
    assert uniprot.requests == 2


async def test_a_page_that_lost_a_row_makes_no_gene_absent(source, sandbox, genes) -> None:
    right = await answers(source("uniprot"), genes)
    sandbox.services["uniprot"].release = "2026_01"
    sandbox.fault("uniprot.search", "wrong-count", every=2)
    try:
        with pytest.raises(BadAnswer, match="uniprot sent"):
            await answers(source("uniprot"), genes)
        sandbox.clear_faults()
        assert await answers(source("uniprot"), genes) == right
    finally:
        sandbox.services["uniprot"].release = "2025_04"


@pytest.mark.parametrize(
    "kind", ["truncated", "invalid-json", "html", "empty", "error-body", "503"]
)
async def test_a_damaged_page_makes_no_gene_absent(source, sandbox, genes, kind) -> None:
    sandbox.fault("uniprot.search", kind)
    with pytest.raises((BadAnswer, UpstreamUnavailable)):
        await answers(source("uniprot"), genes)
