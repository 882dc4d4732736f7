"""PanelApp's panels, collected from the sandbox."""

import msgspec
import pytest

from app.annotation.sources.panelapp.data import PanelAppData
from app.annotation.upstream import BadAnswer, UpstreamUnavailable

PANELS = 70


@pytest.fixture
def panelapp(sandbox):
    service = sandbox.services["panelapp"]
    yield service
    service.page_size = 100
    service._changes.clear()


async def answers(source, genes):
    return {each.gene_id: each async for part in source.bulk(genes) for each in part}


async def test_a_gene_is_found_with_its_panels_or_absent(source, panelapp, genes) -> None:
    panelapp.page_size = 15
    connected = source("panelapp")
    found = await answers(connected, genes)
    (pkd1,) = (found[gene.id] for gene in genes if gene.symbol == "PKD1")
    data = msgspec.convert(pkd1.data, PanelAppData)

    assert (data.green, data.amber, data.red) == (2, 1, 0)
    assert [
        (each.region, each.panel_id, each.panel_version, each.confidence) for each in data.panels
    ] == [
        ("AU", 3007, "4.49", "green"),
        ("UK", 18, "3.126", "green"),
        ("AU", 3016, "1.112", "amber"),
    ]
    on_a_panel = {gene.hgnc_id for listed in panelapp.genes.values() for gene, _ in listed}
    for gene in genes:
        assert found[gene.id].state == ("found" if gene.hgnc_id in on_a_panel else "absent")
    assert connected.requests == 3 + 2 + PANELS
    assert connected.files[0].rows == sum(map(len, panelapp.genes.values()))


async def test_only_the_panel_that_changed_is_fetched_again(source, panelapp, genes) -> None:
    before = await answers(source("panelapp"), genes)
    panelapp.publish("uk", 18)
    connected = source("panelapp")
    after = await answers(connected, genes)

    assert connected.requests == 2 + 1
    assert before.keys() == after.keys()
    changed = {number for number in before if before[number] != after[number]}
    assert changed == {
        gene.id
        for gene in genes
        if gene.hgnc_id in {each.hgnc_id for each, _ in panelapp.genes["uk", 18]}
    }


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ("panelapp.uk.list", "wrong-count"),
        ("panelapp.uk.panel", "wrong-count"),
        ("panelapp.au.panel", "truncated"),
        ("panelapp.au.panel", "error-body"),
        ("panelapp.uk.list", "html"),
    ],
)
async def test_a_damaged_answer_makes_no_gene_absent(source, sandbox, genes, endpoint, kind):
    sandbox.fault(endpoint, kind)
    with pytest.raises((BadAnswer, UpstreamUnavailable)):
        await answers(source("panelapp"), genes)
