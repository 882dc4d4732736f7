"""Each upstream's answer, with every field removed once and set to every wrong type once.

The result is the answer of the complete body or no answer, but never *absent* and never other data.
The bodies are minimal valid answers.
"""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.answers import Answer, Gene
from app.annotation.sources.connector import Connector
from app.annotation.upstream import BadAnswer, Retries
from app.core.errors import Wait

PKD1 = Gene(1, "HGNC:9008", "PKD1", "ENSG00000008710", "5310")
WRONG = (None, True, 7, "x", [], {}, [7])


class OneTry(Connector):
    """Sends each request once, because other tests cover retries."""

    @property
    def retries(self) -> Retries:
        return Retries(refused=1, fault=1, cut=1, body=1)


class Unlimited:
    async def acquire(self, budget: str, rate: float) -> None:
        pass

    async def pause(self, budget: str, seconds: float) -> None:
        pass


def nothing(description: str = "") -> dict[str, str]:
    return {"description": description, "review_status": "", "last_evaluated": "1/01/01 00:00"}


BODIES: dict[str, dict[str, Any]] = {
    "clinvar": {
        "/esearch.fcgi": {"esearchresult": {"count": "1", "querykey": "1", "webenv": "MCID_1"}},
        "/esummary.fcgi": {
            "result": {
                "uids": ["7"],
                "7": {
                    "uid": "7",
                    "obj_type": "single nucleotide variant",
                    "title": "NM_1.1(PKD1):c.1A>T (p.Lys2Glu)",
                    "genes": [{"symbol": "PKD1", "geneid": "5310"}],
                    "germline_classification": {
                        "description": "Pathogenic",
                        "review_status": "reviewed by expert panel",
                        "last_evaluated": "2026/03/11 00:00",
                    },
                    "clinical_impact_classification": nothing("Tier I - Strong"),
                    "oncogenicity_classification": nothing("Oncogenic"),
                },
            }
        },
        "/tab_delimited/gene_specific_summary.txt": (
            "#Overview\n#Symbol\tGeneID\tTotal_alleles\nPKD1\t5310\t1\n"
        ),
    },
    "ensembl": {
        "/lookup/id": {
            "ENSG00000008710": {
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
        },
    },
    "hgnc": {
        "/info": {
            "lastModified": "2026-09-18T12:19:06.043Z",
            "storedFields": [
                "hgnc_id", "symbol", "status", "name", "locus_group", "locus_type", "location",
                "alias_symbol", "prev_symbol", "entrez_id", "ensembl_gene_id", "omim_id",
                "uniprot_ids", "refseq_accession", "mane_select", "gene_group",
            ],
        },
        "/fetch/hgnc_id/HGNC:9008": {
            "response": {
                "numFound": 1,
                "docs": [
                    {
                        "hgnc_id": "HGNC:9008",
                        "symbol": "PKD1",
                        "status": "Approved",
                        "name": "polycystin 1",
                        "locus_group": "protein-coding gene",
                        "locus_type": "gene with protein product",
                        "location": "16p13.3",
                        "alias_symbol": ["PBP"],
                        "entrez_id": "5310",
                        "ensembl_gene_id": "ENSG00000008710",
                    }
                ],
            }
        },
    },
}  # fmt: skip
"""The answers for one gene by source and path."""

OPTIONAL = {
    "clinvar": set[str](),
    "ensembl": {"description", "display_name"},
    "hgnc": {"location", "alias_symbol", "entrez_id", "ensembl_gene_id"},
}
"""Fields that the services omit without a value."""


SETTINGS = Settings(
    _env_file=None,  # type: ignore[call-arg]
    ncbi_eutils_url="https://upstream",
    clinvar_files_url="https://upstream",
    ensembl_rest_url="https://upstream",
    hgnc_rest_url="https://upstream",
)


async def answer_to(source: str, bodies: dict[str, Any], folder: Path) -> Answer | None:
    """Ask the source about one gene. Return None if the answer is unusable."""

    def serve(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = bodies.get(path)
        if isinstance(body, bytes | str):
            whole = body if isinstance(body, bytes) else body.encode()
            length = {"Content-Length": str(len(whole))}
            return httpx.Response(200, headers=length, stream=httpx.ByteStream(whole))
        return httpx.Response(200, json=body)

    settings = SETTINGS.model_copy(update={"cache_dir": folder})
    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as http:
        connected = SOURCES[source](OneTry(settings, Unlimited(), http))
        try:
            (answer,) = await connected.annotate([PKD1])
        except (BadAnswer, Wait):
            return None
    return None if answer.state == "unknown" else answer


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value within a value."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from places(value[key], (*path, key))


def changed(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    whole = copy.deepcopy(value)
    within = whole
    for key in path[:-1]:
        within = within[key]
    change(within, path[-1])
    return whole


def every_change(source: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield the change, the bodies, and whether the services sometimes send this form."""

    def leave_out(within: Any, key: Any) -> None:
        del within[key]

    for url, body in BODIES[source].items():
        if isinstance(body, str):
            continue
        for path in places(body):
            optional = not OPTIONAL[source].isdisjoint(path)
            named = f"{url} {'.'.join(map(str, path))}"
            without = {**BODIES[source], url: changed(body, path, leave_out)}
            yield f"{named} left out", without, optional
            for wrong in WRONG:

                def put(within: Any, key: Any, wrong: Any = wrong) -> None:
                    within[key] = wrong

                other = changed(body, path, put)
                if type(wrong) is not type(_at(body, path)):
                    allowed = optional and wrong is None
                    yield f"{named} is {wrong!r}", {**BODIES[source], url: other}, allowed


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("source", BODIES)
async def test_a_changed_answer_format_never_gives_absent_or_wrong_data(
    source: str, tmp_path: Path
) -> None:
    right = await answer_to(source, BODIES[source], tmp_path)
    assert right is not None
    assert right.state == "found"
    wrong = []
    refused = 0
    for name, bodies, allowed in every_change(source):
        answer = await answer_to(source, bodies, tmp_path)
        refused += answer is None
        if answer is not None and answer != right and not (allowed and answer.state == "found"):
            wrong.append(name)
    assert wrong == []
    assert refused > 50


@pytest.mark.parametrize("source", BODIES)
async def test_a_body_truncated_anywhere_is_refused(source: str, tmp_path: Path) -> None:
    right = await answer_to(source, BODIES[source], tmp_path)
    for url, body in BODIES[source].items():
        if isinstance(body, str):
            continue
        whole = json.dumps(body).encode()
        assert await answer_to(source, {**BODIES[source], url: whole}, tmp_path) == right
        # every third position, because positions within a word or number are equivalent
        for end in range(0, len(whole), 3):
            cut = {**BODIES[source], url: whole[:end]}
            assert await answer_to(source, cut, tmp_path) is None, whole[:end]


async def test_variants_that_belong_to_no_gene_of_the_batch_are_a_bad_answer(
    tmp_path: Path,
) -> None:
    bodies = copy.deepcopy(BODIES["clinvar"])
    bodies["/esummary.fcgi"]["result"]["7"]["genes"] = [{"symbol": "TSC2", "geneid": "7249"}]
    assert await answer_to("clinvar", bodies, tmp_path) is None


NOT_IN_IT = "#Overview\n#Symbol\tGeneID\tTotal_alleles\nTSC2\t7249\t1\n"


async def test_a_gene_with_only_a_haplotype_is_absent_as_in_the_table(tmp_path: Path) -> None:
    bodies = copy.deepcopy(BODIES["clinvar"])
    bodies["/esummary.fcgi"]["result"]["7"]["obj_type"] = "Haplotype"
    # ClinVar counts alleles, of which there are none here
    bodies["/tab_delimited/gene_specific_summary.txt"] = NOT_IN_IT
    assert await answer_to("clinvar", bodies, tmp_path) == Answer(1, "absent")


@pytest.mark.parametrize(("alleles", "state"), [(1, "absent"), (2, "absent"), (500, None)])
async def test_a_gene_whose_expected_variants_are_all_large_copy_numbers_is_absent(
    tmp_path: Path, alleles: int, state: str | None
) -> None:
    bodies = copy.deepcopy(BODIES["clinvar"])
    bodies["/esummary.fcgi"]["result"]["7"]["genes"] += [
        {"symbol": f"B{number}", "geneid": f"{number}"} for number in range(1, 10)
    ]
    name = "/tab_delimited/gene_specific_summary.txt"
    bodies[name] = bodies[name].replace("5310\t1", f"5310\t{alleles}")
    answer = await answer_to("clinvar", bodies, tmp_path)
    assert (answer and answer.state) == state


async def test_a_record_of_ensembl_that_is_not_a_gene_is_unknown(tmp_path: Path) -> None:
    bodies = copy.deepcopy(BODIES["ensembl"])
    bodies["/lookup/id"]["ENSG00000008710"]["object_type"] = "gene"
    assert await answer_to("ensembl", bodies, tmp_path) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [("Entry Withdrawn", "absent"), ("approved", None), ("Approved pending", None), ("", None)],
)
async def test_a_gene_with_an_unknown_status_is_not_absent(
    tmp_path: Path, status: str, state: str | None
) -> None:
    bodies = copy.deepcopy(BODIES["hgnc"])
    bodies["/fetch/hgnc_id/HGNC:9008"]["response"]["docs"][0]["status"] = status
    answer = await answer_to("hgnc", bodies, tmp_path)
    assert (answer and answer.state) == state


async def test_a_field_that_hgnc_no_longer_has_is_a_bad_answer(tmp_path: Path) -> None:
    bodies = copy.deepcopy(BODIES["hgnc"])
    bodies["/info"]["storedFields"].remove("entrez_id")
    del bodies["/fetch/hgnc_id/HGNC:9008"]["response"]["docs"][0]["entrez_id"]
    assert await answer_to("hgnc", bodies, tmp_path) is None
