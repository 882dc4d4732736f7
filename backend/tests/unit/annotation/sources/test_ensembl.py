"""The assignment of Ensembl's records to genes."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.annotation.settings import Settings
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.connector import Connector
from app.annotation.sources.ensembl import Ensembl
from app.annotation.upstream import BadAnswer
from tests import virtual_time

PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710")
WITHOUT_ID = Gene(1, "HGNC:9008", "PKD1")
RECORD = {
    "id": "ENSG00000008710",
    "version": 20,
    "object_type": "Gene",
    "biotype": "protein_coding",
    "seq_region_name": "16",
    "start": 2088708,
    "end": 2135898,
    "strand": -1,
    "assembly_name": "GRCh38",
    "canonical_transcript": "ENST00000262304.9",
    "description": "polycystin 1 [Source:HGNC Symbol;Acc:HGNC:9008]",
    "display_name": "PKD1",
}
OTHER_ID = "ENSG00000999999"


class Unlimited:
    async def acquire(self, budget: str, rate: float) -> None:
        pass

    async def pause(self, budget: str, seconds: float) -> None:
        pass


class Rest:
    """Ensembl's service, with these records under these ids and symbols."""

    def __init__(self, records: dict[str, dict[str, Any]], lost: set[str] | None = None) -> None:
        self.records = records
        self.lost = lost or set()
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "GET":
            symbol = path.removeprefix("/lookup/symbol/homo_sapiens/")
            self.asked.append(f"symbol {symbol}")
            if symbol in self.records:
                return httpx.Response(200, json=self.records[symbol])
            error = {"error": f"No valid lookup found for symbol {symbol}"}
            return httpx.Response(400, json=error)
        ((kind, names),) = json.loads(request.content).items()
        assert path == ("/lookup/id" if kind == "ids" else "/lookup/symbol/homo_sapiens")
        self.asked.append(f"{kind} {' '.join(names)}")
        found = {name: self.records.get(name) for name in names if name not in self.lost}
        if len(names) > 1:
            self.lost.clear()
        if kind == "symbols":
            found = {name: record for name, record in found.items() if record}
        return httpx.Response(200, json=found)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, cache_dir=tmp_path, ensembl_rest_url="https://ensembl")  # type: ignore[call-arg]


async def answers(settings: Settings, rest: Rest, *genes: Gene) -> list[Answer]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(rest)) as http:
        found = await Ensembl(Connector(settings, Unlimited(), http)).annotate(genes)
    return sorted(found, key=lambda answer: answer.gene_id)


async def test_a_gene_is_looked_up_by_the_id_that_hgnc_lists(settings: Settings) -> None:
    rest = Rest({"ENSG00000008710": RECORD, "PKD1": RECORD | {"id": OTHER_ID}})
    (answer,) = await answers(settings, rest, PKD1)
    assert (answer.state, (answer.data or {})["ensembl_gene_id"]) == ("found", "ENSG00000008710")
    assert rest.asked == ["ids ENSG00000008710"]


async def test_a_gene_whose_symbol_leads_to_another_id_than_hgncs_is_unknown(
    settings: Settings,
) -> None:
    (answer,) = await answers(settings, Rest({"PKD1": RECORD | {"id": OTHER_ID}}), PKD1)
    assert answer == Answer(
        1,
        "unknown",
        reason="Ensembl has ENSG00000999999 (PKD1) as PKD1, but HGNC has ENSG00000008710",
    )


async def test_a_gene_is_unknown_when_the_answer_has_another_id(settings: Settings) -> None:
    rest = Rest({"ENSG00000008710": RECORD | {"id": OTHER_ID}})
    (answer,) = await answers(settings, rest, PKD1)
    assert answer.state == "unknown"
    assert OTHER_ID in (answer.reason or "")


async def test_a_gene_is_unknown_when_ensembl_gives_its_id_to_another_hgnc_gene(
    settings: Settings,
) -> None:
    other = RECORD | {"description": "x [Source:HGNC Symbol;Acc:HGNC:1]"}
    (answer,) = await answers(settings, Rest({"ENSG00000008710": other}), PKD1)
    assert answer.state == "unknown"
    assert "HGNC:1" in (answer.reason or "")


async def test_a_gene_is_absent_when_ensembl_has_neither_its_id_nor_its_symbol(
    settings: Settings,
) -> None:
    rest = Rest({})
    assert await answers(settings, rest, PKD1) == [Answer(1, "absent")]
    assert rest.asked == ["ids ENSG00000008710", "symbols PKD1", "symbol PKD1"]


@pytest.mark.parametrize("description", [None, "polycystin 1 [Source:NCBI gene;Acc:5310]"])
async def test_a_record_without_an_hgnc_id_must_have_the_genes_ensembl_id_or_name(
    settings: Settings, description: str | None
) -> None:
    bare = RECORD | {"description": description, "display_name": None}
    (by_id,) = await answers(settings, Rest({"ENSG00000008710": bare}), PKD1)
    assert by_id.state == "found"
    (by_name,) = await answers(
        settings, Rest({"PKD1": bare | {"display_name": "Pkd1"}}), WITHOUT_ID
    )
    assert by_name.state == "found"
    for name in (None, "PBP"):
        rest = Rest({"PKD1": bare | {"display_name": name}})
        (by_synonym,) = await answers(settings, rest, WITHOUT_ID)
        assert by_synonym.state == "unknown"
        assert "names no HGNC id" in (by_synonym.reason or "")


async def test_a_gene_whose_symbol_is_a_synonym_of_another_gene_is_absent(
    settings: Settings,
) -> None:
    other = RECORD | {"description": "x [Source:HGNC Symbol;Acc:HGNC:1]", "display_name": "X"}
    assert await answers(settings, Rest({"PKD1": other}), WITHOUT_ID) == [Answer(1, "absent")]


async def test_an_id_missing_from_an_answer_is_looked_up_alone(settings: Settings) -> None:
    second = Gene(2, "HGNC:9009", "PKD2", "ENSG00000118762")
    records = {
        "ENSG00000008710": RECORD,
        "ENSG00000118762": RECORD
        | {"id": "ENSG00000118762", "description": "x [Source:HGNC Symbol;Acc:HGNC:9009]"},
    }
    rest = Rest(records, lost={"ENSG00000118762"})
    found = await answers(settings, rest, PKD1, second)
    assert [answer.state for answer in found] == ["found", "found"]
    assert rest.asked == ["ids ENSG00000008710 ENSG00000118762", "ids ENSG00000118762"]


async def test_an_id_missing_again_is_unknown(settings: Settings) -> None:
    rest = Rest({"ENSG00000008710": RECORD}, lost={"ENSG00000008710"})
    (answer,) = await answers(settings, rest, PKD1)
    assert (answer.state, answer.reason) == (
        "unknown",
        "Ensembl's answer lacks ENSG00000008710",
    )


async def test_the_real_records_are_found_by_their_ids(
    settings: Settings, shared_data: Path
) -> None:
    whole = json.loads((shared_data / "ensembl/lookup_and_xrefs.share.json").read_bytes())
    records = {
        record["id"]: {name: value for name, value in record.items() if name != "xrefs"}
        for record in whole
        if record["species"] == "homo_sapiens"
    }
    genes = []
    for number, record in enumerate(records.values()):
        hgnc_id = record["description"].rpartition("Acc:")[2].rstrip("]")
        genes.append(Gene(number, hgnc_id, record.get("display_name") or "NOVEL", record["id"]))
    found = await answers(settings, Rest(records), *genes)
    assert [answer.state for answer in found] == ["found"] * len(genes)
    assert len(genes) == 8


@pytest.mark.parametrize("releases", [[], [0], [-3], [115, 10**30]])
def test_an_impossible_release_is_a_bad_answer(settings: Settings, releases: list[int]) -> None:
    answer = httpx.Response(200, json={"releases": releases})

    async def ask() -> object:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as http:
            return await Ensembl(Connector(settings, Unlimited(), http)).release()

    # it asks again after some seconds
    with pytest.raises(BadAnswer, match="no plausible release"):
        virtual_time.run(ask())
