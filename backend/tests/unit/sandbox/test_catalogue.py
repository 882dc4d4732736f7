import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from sandbox.catalogue import AMBIGUOUS_ALIAS, Catalogue
from sandbox.clinvar.summaries import record
from sandbox.clinvar.variants import Variants
from sandbox.known import KNOWN_GENES
from sandbox.options import Options

BACKEND = Path(__file__).resolve().parents[3]


def test_a_catalogue_begins_with_the_well_known_genes():
    symbols = [gene.symbol for gene in Catalogue(Options(genes=1_000)).genes]

    assert len(set(symbols)) == 1_000
    assert symbols[: len(KNOWN_GENES)] == [gene.symbol for gene in KNOWN_GENES]
    assert Catalogue(Options(genes=7)).genes[-1].symbol == KNOWN_GENES[6].symbol


def test_ids_are_unique():
    genes = Catalogue(Options(genes=3_000)).genes

    for name in ("hgnc_id", "entrez_id", "ensembl_id"):
        assert len({getattr(gene, name) for gene in genes}) == len(genes)


def test_well_known_genes_have_their_real_ids(shared_data):
    listed = _tsv(shared_data / "genes" / "kidney_genes.tsv", 0, 1)
    entrez = _tsv(shared_data / "clinvar" / "gene_specific_summary.2021-11-07.txt", 0, 1)

    compared = 0
    for gene in KNOWN_GENES:
        if gene.symbol in listed:
            assert gene.hgnc_id == listed[gene.symbol]
            compared += 1
        assert gene.entrez_id == entrez[gene.symbol]
    assert compared >= 50


def test_a_few_genes_are_special():
    genes = Catalogue(Options(genes=5_000)).genes

    assert sum(not gene.at_ensembl for gene in genes) == 50
    assert sum(gene.ensembl_gene_id is None for gene in genes) == 50
    assert sum(gene.variants == 0 for gene in genes) == 100
    assert sum(AMBIGUOUS_ALIAS in gene.aliases for gene in genes) == 2


def test_the_skew_of_clinvar_is_imitated():
    counts = {gene.symbol: gene.variants for gene in Catalogue(Options(skew="clinvar")).genes}

    assert sum(counts.values()) == 200_000
    assert counts["TTN"] == 17_000
    assert median(counts.values()) < 25


def test_flat_spread_has_about_the_average():
    catalogue = Catalogue(Options(genes=5_000))

    assert 37 < catalogue.variant_count / 5_000 < 43


def test_some_variants_span_neighbours_on_one_chromosome():
    catalogue = Catalogue(Options(genes=1_000))
    spans = set()
    for gene in catalogue.genes:
        for place in catalogue.variants_of(gene):
            spanned = catalogue.spanned(catalogue.owner(place), place)
            spans.add(len(spanned))
            assert gene in spanned
            assert len({other.chromosome for other in spanned}) == 1
            assert all(other.variants for other in spanned)
    assert spans == {1, 2, 3, 4, 5}


def test_listed_genes_come_first(tmp_path):
    path = tmp_path / "genes.tsv"
    path.write_text("symbol\thgnc_id\nABCG2\tHGNC:74\nPKD1\tHGNC:9008\n")

    alone = Catalogue(Options(gene_list=path)).genes
    more = Catalogue(Options(gene_list=path, genes=5)).genes

    assert [gene.symbol for gene in alone] == ["ABCG2", "PKD1"]
    assert alone[1].entrez_id == "5310"
    assert [gene.symbol for gene in more] == ["ABCG2", "PKD1", "SYN00001", "SYN00002", "SYN00003"]


def test_a_gene_list_without_its_columns_is_refused(tmp_path):
    path = tmp_path / "genes.tsv"
    path.write_text("gene\nPKD1\n")

    with pytest.raises(ValueError, match="columns symbol and hgnc_id"):
        Catalogue(Options(gene_list=path))


def test_the_real_gene_list_with_entrez_ids_of_the_real_summary(shared_data):
    catalogue = Catalogue(
        Options(
            gene_list=shared_data / "genes" / "kidney_genes.tsv",
            gene_specific_summary=shared_data / "clinvar" / "gene_specific_summary.2021-11-07.txt",
        )
    )

    assert len(catalogue.genes) == 3_066
    assert catalogue.by_symbol["ABCG2"].entrez_id == "9429"


def test_equal_options_give_equal_variants_in_another_process():
    program = (
        "import hashlib\n"
        "from sandbox import Options\n"
        "from sandbox.catalogue import Catalogue\n"
        "from sandbox.clinvar.summaries import record\n"
        "from sandbox.clinvar.variants import Variants\n"
        "variants = Variants(Catalogue(Options(genes=80, skew='clinvar')))\n"
        "text = ''.join(map(record, variants))\n"
        "print(hashlib.sha256(text.encode()).hexdigest())\n"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=BACKEND,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(answers) == 1


def test_another_seed_gives_other_variants():
    one, two = (
        [record(variant) for variant in Variants(Catalogue(Options(genes=3, seed=seed)))][:20]
        for seed in (1, 2)
    )

    assert one != two


def _tsv(path: Path, key: int, value: int) -> dict[str, str]:
    rows = [line.split("\t") for line in path.read_text().splitlines() if "\t" in line]
    return {row[key]: row[value] for row in rows}
