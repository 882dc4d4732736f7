import csv
import gzip
from collections import Counter

import httpx
import pytest

from sandbox import Options, Sandbox


def variants_of(sandbox):
    return sandbox.services["clinvar"].variants


TABLE = "/clinvar/tab_delimited/variant_summary.txt.gz"
FILES = [
    TABLE,
    "/clinvar/tab_delimited/gene_specific_summary.txt",
    "/hgnc-files/tsv/tsv/hgnc_complete_set.txt",
    "/hgnc-files/tsv/tsv/withdrawn.txt",
]


@pytest.mark.parametrize("path", FILES)
def test_conditional_requests(http, path):
    first = http.get(path)
    tag, changed = first.headers["ETag"], first.headers["Last-Modified"]
    head = http.head(path)

    assert int(first.headers["Content-Length"]) == len(first.content)
    assert head.headers["Content-Length"] == first.headers["Content-Length"]
    assert head.content == b""
    for known in ({"If-None-Match": tag}, {"If-Modified-Since": changed}):
        again = http.get(path, headers=known)
        assert again.status_code == 304
        assert again.headers["ETag"] == tag
    for other in (
        {"If-None-Match": '"other"', "If-Modified-Since": changed},
        {"If-Modified-Since": "Sat, 01 Nov 2025 08:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert http.get(path, headers=other).status_code == 200


def test_the_table_has_the_variants_that_the_api_has(http, sandbox):
    lines = gzip.decompress(http.get(TABLE).content).decode().splitlines()
    by_gene: dict[str, set[int]] = {}
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        for symbol in row["GeneSymbol"].split(";"):
            by_gene.setdefault(symbol, set()).add(int(row["VariationID"]))

    for gene in sandbox.catalogue.genes:
        assert by_gene.get(gene.symbol, set()) == set(variants_of(sandbox).ids_of(gene))


def test_the_summary_counts_what_the_api_has(http, sandbox):
    lines = http.get(FILES[1]).text.splitlines()[1:]
    counts = {row["#Symbol"]: row for row in csv.DictReader(lines, delimiter="\t")}
    classes = Counter(
        variant.profile.germline.description
        for variant in variants_of(sandbox)
        if any(gene.symbol == "PKD1" for gene in variant.genes)
    )

    for gene in sandbox.catalogue.genes:
        expected = len(variants_of(sandbox).ids_of(gene))
        assert int(counts[gene.symbol]["Total_alleles"] if gene.symbol in counts else 0) == expected
    assert int(counts["PKD1"]["Number_uncertain"]) == sum(
        number for text, number in classes.items() if text.startswith("Uncertain")
    )


def test_two_processes_serve_the_same_bytes(cache_dir, tmp_path):
    answers = []
    for folder in (cache_dir, tmp_path / "another"):
        options = Options(genes=20, limits="off", cache_dir=folder)
        with Sandbox(options) as sandbox:
            answers.append(httpx.get(sandbox.url + TABLE, trust_env=False))

    assert answers[0].content == answers[1].content
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]


def test_files_can_be_generated_before_they_are_requested(cache_dir):
    with Sandbox(Options(genes=20, cache_dir=cache_dir)) as sandbox:
        sandbox.prepare()
        made = {path.name: path.stat().st_ino for path in cache_dir.iterdir()}
        for path in FILES:
            assert httpx.get(sandbox.url + path, trust_env=False).status_code == 200

    every = [file for each in sandbox.services.values() for file in each.files()]
    assert len(made) == len(every)
    assert {path.name: path.stat().st_ino for path in cache_dir.iterdir()} == made


def test_other_options_give_other_files(cache_dir):
    tags = set()
    for seed in (1, 2):
        with Sandbox(Options(genes=20, seed=seed, cache_dir=cache_dir)) as sandbox:
            tags.add(httpx.get(sandbox.url + TABLE, trust_env=False).headers["ETag"])

    assert len(tags) == 2


def test_a_given_summary_is_served_unchanged(cache_dir, tmp_path):
    given = tmp_path / "summary.txt"
    given.write_bytes(b"#Overview\n#Symbol\tGeneID\tTotal_submissions\nPKD1\t77\t3\n")
    options = Options(genes=20, gene_specific_summary=given, cache_dir=cache_dir)
    with Sandbox(options) as sandbox:
        answer = httpx.get(sandbox.url + FILES[1], trust_env=False)
        assert sandbox.catalogue.by_symbol["PKD1"].entrez_id == "77"

    assert answer.content == given.read_bytes()


def test_the_number_of_kept_files_is_bounded(cache_dir, monkeypatch):
    monkeypatch.setattr("sandbox.files._MAX_KEPT", 2)
    for seed in range(5):
        with Sandbox(Options(genes=2, seed=seed, cache_dir=cache_dir)) as sandbox:
            httpx.get(sandbox.url + FILES[3], trust_env=False)

    assert len(list(cache_dir.iterdir())) == 3
