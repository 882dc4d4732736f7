import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.annotation.sources.clinvar.aggregate import Tally
from app.annotation.sources.clinvar.attribution import MAX_GENES, GeneIndex, RequestedGene
from app.annotation.sources.clinvar.search import Counted
from app.annotation.sources.clinvar.summaries import (
    decode_release,
    decode_search,
    decode_summaries,
)
from app.annotation.upstream import BadAnswer

NOTHING = {"description": "", "last_evaluated": "1/01/01 00:00", "review_status": ""}


PKD1 = RequestedGene("5310", ("PKD1",))


def summary(uid: str, **more: Any) -> dict[str, Any]:
    return {
        "uid": uid,
        "obj_type": "single nucleotide variant",
        "title": "NM_1.1(PKD1):c.1A>T (p.Lys2Glu)",
        "germline_classification": {
            "description": "Benign",
            "last_evaluated": "2020/06/25 00:00",
            "review_status": "criteria provided, single submitter",
        },
        "clinical_impact_classification": NOTHING,
        "oncogenicity_classification": NOTHING,
        "genes": [{"symbol": "PKD1", "geneid": "5310", "strand": "-", "source": "submitted"}],
        **more,
    }


def page(*summaries: dict[str, Any]) -> bytes:
    uids = [each["uid"] for each in summaries]
    by_uid = dict(zip(uids, summaries, strict=True))
    return json.dumps({"header": {}, "result": {"uids": uids, **by_uid}}).encode()


def counted(body: bytes, *genes: RequestedGene) -> Counted:
    found = Counted([Tally() for _ in genes])
    wanted = GeneIndex(genes)
    found.add(decode_summaries(body), wanted)
    found.corrected = wanted.corrected()
    return found


def test_the_recorded_summaries_of_braf_are_read(shared_data: Path) -> None:
    body = (shared_data / "clinvar/clinvar_esummary_rs113488022.json").read_bytes()
    found = counted(body, RequestedGene("673", ("BRAF",)))
    assert found.received == 2
    assert found.corrected is None
    assert found.tallies[0].data() == {
        "variants": 2,
        "single_gene": 2,
        "multi_gene": 0,
        "germline": {
            "pathogenic": 1,
            "pathogenic_or_likely_pathogenic": 0,
            "likely_pathogenic": 0,
            "conflicting": 1,
            "uncertain": 0,
            "likely_benign": 0,
            "benign_or_likely_benign": 0,
            "benign": 0,
            "other": 0,
        },
        "review_status": {
            "criteria provided, conflicting classifications": 1,
            "reviewed by expert panel": 1,
        },
        "molecular_consequence": {"missense variant": 2},
        "oncogenicity": {"Oncogenic": 1},
        "clinical_impact": {"Tier I - Strong": 1},
        "unknown_terms": {},
        "last_evaluated": "2026-03-11",
    }


def test_the_derived_consequences_are_those_recorded(shared_data: Path) -> None:
    body = (shared_data / "clinvar/clinvar_esummary_rs113488022.json").read_bytes()
    recorded = json.loads(body)["result"]
    for variant in decode_summaries(body):
        assert [variant.consequence] == recorded[variant.uid]["molecular_consequence_list"]


def test_the_recorded_search_and_release_are_read(shared_data: Path) -> None:
    folder = shared_data / "clinvar"
    assert decode_release((folder / "clinvar_einfo.json").read_bytes()) == "2026-09-24"
    with pytest.raises(BadAnswer, match="without a history"):
        decode_search((folder / "clinvar_esearch_rs113488022.json").read_bytes())


def test_the_recorded_errors_are_bad_answers(shared_data: Path) -> None:
    folder = shared_data / "eutils-errors"
    with pytest.raises(BadAnswer, match="Invalid db name specified: fleegle"):
        decode_search((folder / "esearch.baderror.json").read_bytes())
    with pytest.raises(BadAnswer, match="Invalid db name specified: fleegle"):
        decode_summaries((folder / "esummary.error.json").read_bytes())
    quoted = [json.loads(line) for line in (folder / "quoted_a.jsonl").read_text().splitlines()]
    bodies = [
        each["body"].encode()
        for each in quoted
        if each["source"] == "ncbi" and "fragment_of" not in each and "partial" not in each
    ]
    assert len(bodies) >= 4
    for body in bodies:
        for decode in (decode_search, decode_summaries):
            with pytest.raises((BadAnswer, msgspec.MsgspecError)):
                decode(body)


def test_numbers_may_be_strings() -> None:
    body = b'{"esearchresult":{"count":"12","webenv":"MCID_1","querykey":"1"}}'
    assert decode_search(body) == (12, "MCID_1", "1")


def test_a_search_that_finds_nothing_needs_no_history() -> None:
    assert decode_search(b'{"esearchresult":{"count":"0"}}').found == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"esearchresult":{"ERROR":"Search Backend failed: Database is not supported"}}',
        b'{"error":"API rate limit exceeded","api-key":"k"}',
        b'{"esearchresult":{"count":"many"}}',
        b'{"esearchresult":{"count":"-1"}}',
        b'{"esearchresult":{"count":"1000000000000","webenv":"MCID_1","querykey":"1"}}',
        b'{"esearchresult":{}}',
        b"{}",
        b"<html><body>Service unavailable</body></html>",
        b'{"esearchresult":{"count":"1',
        b"\xff\xfe",
        b"",
    ],
)
def test_an_answer_that_is_not_a_search_result_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        decode_search(body)


@pytest.mark.parametrize("key", ["error", "ERROR"])
def test_an_expired_history_gives_an_empty_page(key: str) -> None:
    assert decode_summaries(json.dumps({key: "Unable to obtain query #1"}).encode()) == []


def test_a_record_with_an_error_is_skipped() -> None:
    body = page(summary("1"), {"uid": "999", "error": "cannot get document summary"})
    assert [variant.uid for variant in decode_summaries(body)] == ["1"]


def test_a_summary_from_before_the_renaming_of_2024_is_refused() -> None:
    old = summary("1")
    old["clinical_significance"] = old.pop("germline_classification")
    with pytest.raises(BadAnswer, match="germline_classification"):
        decode_summaries(page(old))


def test_a_summary_of_another_database_is_refused() -> None:
    of_gene = {"uid": "5310", "name": "PKD1", "description": "polycystin 1", "chromosome": "16"}
    with pytest.raises(BadAnswer, match="missing required field"):
        decode_summaries(page(of_gene))


def test_a_summary_about_another_variant_is_refused() -> None:
    body = page(summary("1")).replace(b'"uid": "1"', b'"uid": "2"')
    with pytest.raises(BadAnswer, match="the summary of 1 is about 2"):
        decode_summaries(body)


def test_an_error_next_to_a_result_is_an_error() -> None:
    body = json.dumps({"error": "Invalid uid x at position= 0", "result": {"uids": []}}).encode()
    with pytest.raises(BadAnswer, match="Invalid uid"):
        decode_summaries(body)


def test_a_date_in_an_unknown_format_is_refused() -> None:
    other = {**summary("1")["germline_classification"], "last_evaluated": "11.03.2026"}
    with pytest.raises(BadAnswer, match=r"11\.03\.2026"):
        decode_summaries(page(summary("1", germline_classification=other)))


def test_a_search_by_an_unknown_field_is_refused() -> None:
    errors = {"phrasesnotfound": [], "fieldsnotfound": ["gene"]}
    body = json.dumps({"esearchresult": {"count": "0", "errorlist": errors}}).encode()
    with pytest.raises(BadAnswer, match="no such field any more: gene"):
        decode_search(body)


@pytest.mark.parametrize(
    "database",
    [
        {"dbname": "gene", "lastupdate": "2026/09/24 04:57"},
        {"dbname": "clinvar", "lastupdate": "September 24"},
        {"dbname": "clinvar", "lastupdate": "2026/09/24 04:57 or later"},
        {"dbname": "clinvar"},
        {"lastupdate": "2026/09/24 04:57"},
    ],
)
def test_a_release_of_another_database_or_without_a_date_is_refused(
    database: dict[str, str],
) -> None:
    with pytest.raises(BadAnswer):
        decode_release(json.dumps({"einforesult": {"dbinfo": [database]}}).encode())


def test_a_raw_newline_in_a_text_is_read_as_a_space() -> None:
    body = page(summary("1", title="NM_1.1(PKD1):c.1A>T (p.Lys2Glu)")).replace(b"):c", b"):\nc")
    body = body.replace(b'"Benign"', b'"Pathogenic\n"')
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body)
    (variant,) = decode_summaries(body)
    assert variant.profile.germline == "Pathogenic"


def test_a_variant_counts_once_and_for_each_of_its_genes() -> None:
    both = [{"symbol": "PKD1", "geneid": "5310"}, {"symbol": "TSC2", "geneid": "7249"}]
    body = page(summary("1", genes=both), summary("1", genes=both), summary("2"))
    found = counted(body, RequestedGene("7249", ("TSC2",)), RequestedGene("5310", ("PKD1",)))
    assert found.received == 2
    tsc2, pkd1 = (tally.data() for tally in found.tallies)
    assert tsc2 is not None
    assert pkd1 is not None
    assert (tsc2["variants"], tsc2["multi_gene"]) == (1, 1)
    assert (pkd1["variants"], pkd1["single_gene"], pkd1["multi_gene"]) == (2, 1, 1)


@pytest.mark.parametrize(
    "obj_type",
    ["Haplotype", "Haplotype, single variant", "Diplotype", "CompoundHeterozygote",
     "Phase unknown", "Distinct chromosomes"],
)  # fmt: skip
def test_a_combination_of_alleles_is_not_counted(obj_type: str) -> None:
    found = counted(page(summary("1", obj_type=obj_type)), RequestedGene("5310", ("PKD1",)))
    assert (found.received, found.alleles, found.left_out) == (1, 0, {})
    assert found.tallies[0].data() is None


def test_a_variant_of_many_genes_is_not_counted() -> None:
    many = [{"symbol": f"B{number}", "geneid": f"{number}"} for number in range(1, MAX_GENES)]
    many.append({"symbol": "PKD1", "geneid": "5310"})
    more = [*many, {"symbol": "TSC2", "geneid": "7249"}]
    found = counted(page(summary("1", genes=many), summary("2", genes=more)), PKD1)
    assert (found.received, found.alleles, found.belonging, found.left_out) == (2, 2, 2, {0: 1})
    data = found.tallies[0].data()
    assert data is not None
    assert data["variants"] == data["multi_gene"] == 1


def test_a_gene_that_clinvar_calls_by_another_symbol_is_corrected() -> None:
    found = counted(page(summary("1")), RequestedGene("5310", ("PBP",)))
    assert found.corrected == [RequestedGene("5310", ("PBP", "PKD1"))]


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for decode in (decode_search, decode_summaries):
        with contextlib.suppress(BadAnswer):
            decode(body)
