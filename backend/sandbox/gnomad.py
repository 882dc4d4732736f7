from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.bgzip import bgzipped
from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

BADLY_COVERED, WITHOUT_ROWS, WITHOUT_MANE, OF_OTHERS_ONLY, WITHOUT_LOF = 9, 11, 23, 31, 37
"""Places (index modulo 50) of the genes that have flags, no row, a canonical transcript that is not
MANE Select, only transcripts that do not represent the gene, or no loss-of-function variant."""

_ANCESTRIES = ("global", "afr", "amr", "eas", "nfe", "sas")
_GENE = (
    "gene", "gene_id", "transcript", "canonical", "mane_select", "transcript_version",
    "transcript_type", "transcript_level", "chromosome", "start_position", "end_position",
    "cds_length", "num_coding_exons", "gene_quality_metrics.exome_prop_bp_AN90",
    "gene_quality_metrics.exome_mean_AS_MQ", "gene_quality_metrics.exome_prop_segdup",
    "gene_quality_metrics.exome_prop_LCR", "gene_flags", "constraint_flags",
)  # fmt: skip
_METRICS = (
    "mu", "possible", "obs", "exp", "oe", "z_raw", "z_score", "oe_ci.lower", "oe_ci.upper",
)  # fmt: skip
_BY_ANCESTRY = tuple(
    f"gen_anc_{what}.{ancestry}" for what in ("obs", "exp") for ancestry in _ANCESTRIES
)
_RANKS = ("upper_rank", "upper_bin_percentile", "upper_bin_decile", "upper_bin_sextile")
_PROBABILITIES = ("pLI", "pNull", "pRec")
_OF_LOF = (*_METRICS, *(f"oe_ci.{rank}" for rank in _RANKS), *_BY_ANCESTRY, *_PROBABILITIES)
COLUMNS = (
    *_GENE,
    *(f"syn.{name}" for name in (*_METRICS, *_BY_ANCESTRY)),
    *(f"mis.{name}" for name in (*_METRICS, *_BY_ANCESTRY)),
    *(f"lof_hc_lc.{name}" for name in (*_METRICS, *_BY_ANCESTRY, *_PROBABILITIES)),
    *(f"lof.{name}" for name in _OF_LOF),
)
"""The 113 columns of v4.1.1, in their order."""


class Gnomad(Service):
    """gnomAD's constraint metrics: a bgzipped table with several rows for each gene."""

    name = "gnomad"
    addresses: ClassVar = {"GNOMAD_FILES_URL": "gnomad"}

    def files(self) -> Sequence[ServedFile]:
        """Return the table."""
        return (
            ServedFile(
                name="gnomad.constraint",
                path="/gnomad/4.1.1/constraint/gnomad.v4.1.1.constraint_metrics.tsv.bgz",
                write=_write,
                renames="lof.oe_ci.upper",
                numbers=COLUMNS[len(_GENE) :],
            ),
        )


def _write(path: Path, genes: Sequence[Gene]) -> None:
    with bgzipped(path) as sink:
        sink.write("\t".join(COLUMNS) + "\n")
        for gene in genes:
            sink.write("".join(_rows(gene)))


def _rows(gene: Gene) -> Iterator[str]:
    """Yield the rows of a gene: RefSeq transcripts (with NCBI's gene id) and Ensembl's."""
    place = gene.index % 50
    if place == WITHOUT_ROWS:
        return
    flag = str(place != OF_OTHERS_ONLY).lower()
    mane = str(place not in {WITHOUT_MANE, OF_OTHERS_ONLY}).lower()
    flags = '["no_exp_lof"]' if place == WITHOUT_LOF else "[]"
    nothing = "\t".join(["NA"] * 12)
    metrics = _metrics(gene, 1, lof=place != WITHOUT_LOF)
    refseq = f"NM_{9_000_000 + gene.index:09d}.3"
    yield (
        f"{gene.symbol}\t{gene.entrez_id}\t{refseq}\t{flag}\t{mane}\t{nothing}\tNA\t{flags}\t"
        f"{metrics.format(*['NA'] * len(_RANKS))}\n"
    )
    number = int(gene.ensembl_id[4:])
    for other, what in ((1, flag), (2, "false")):
        transcript = f"ENST{number * 10 + other:011d}"
        upper = f"{metrics.format(gene.index + 1, 37, 3, 2)}"
        shown = upper if other == 1 else _metrics(gene, other, lof=True).format(*["NA"] * 4)
        coordinates = f"chr{gene.chromosome}\t{gene.start}\t{gene.start + 30_000}\t1500\t7"
        yield (
            f"{gene.symbol}\t{gene.ensembl_id}\t{transcript}\t{what}\t"
            f"{mane if other == 1 else 'false'}\t{transcript}.{1 + gene.index % 9}\t"
            f"protein_coding\t2\t{coordinates}\t1.0000e+00\t5.9998e+01\t0.0000e+00\t1.7892e-04\t"
            f"{_gene_flags(gene)}\t{flags if other == 1 else '[]'}\t{shown}\n"
        )


def _gene_flags(gene: Gene) -> str:
    if gene.index % 50 == BADLY_COVERED:
        return '["low_exome_coverage","low_exome_mapping_quality"]'
    return "[]"


def _metrics(gene: Gene, transcript: int, *, lof: bool) -> str:
    """Return the numbers of a transcript, with placeholders for the four ranks."""
    drawn = mix(transcript, gene.index)
    syn = _class(500 + drawn % 500, 0.9 + (drawn >> 10) % 200 / 1000)
    mis = _class(1000 + (drawn >> 20) % 1500, 0.4 + (drawn >> 30) % 700 / 1000)
    if not lof:
        none = ["0.0000e+00", "0", *["NA"] * 7]
        lists = ["[null,null,null]"] * len(_BY_ANCESTRY)
        both = [*none, *lists, "NA", "NA", "NA"], [*none, "{}", "{}", "{}", "{}", *lists]
        return "\t".join([*syn, *mis, *both[0], *both[1], "NA", "NA", "NA"])
    numbers = _class(20 + (drawn >> 40) % 150, (drawn >> 50) % 1200 / 1000)
    pli = (drawn >> 5) % 10_000 / 10_000
    chances = [_text(pli), _text((1 - pli) / 4), _text((1 - pli) * 3 / 4)]
    own, lists = numbers[: len(_METRICS)], numbers[len(_METRICS) :]
    return "\t".join(
        [*syn, *mis, *own, *lists, *chances, *own, "{}", "{}", "{}", "{}", *lists, *chances]
    )


def _class(expected: int, share: float) -> list[str]:
    observed = round(expected * share)
    oe = observed / expected
    z = (expected - observed) / expected**0.5
    found = [
        _text(expected * 1e-8), str(expected * 3), str(observed), _text(expected), _text(oe),
        _text(z), _text(z * 0.6), _text(oe * 0.8), _text(oe * 1.2 + 0.03),
    ]  # fmt: skip
    lists = [f"[0,{observed // 2},{observed}]"] * len(_ANCESTRIES)
    lists += [f"[0.0,{expected / 2:.1f},{expected:.1f}]"] * len(_ANCESTRIES)
    return [*found, *lists]


def _text(number: float) -> str:
    return f"{number:.4e}"
