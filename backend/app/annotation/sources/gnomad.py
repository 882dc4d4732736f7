from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.pictures import Line, Scale
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.sources.structure import BY_DEFAULT, unit
from app.annotation.upstream.bulk_files.lines import UnusableFile, in_line
from app.annotation.upstream.bulk_files.messages import Reading
from app.annotation.upstream.bulk_files.tables import as_number, read_table
from app.annotation.upstream.host import Host

FILES = Host(
    name="gnomad-files",
    title="gnomAD's files",
    url="https://storage.googleapis.com/gcp-public-data--gnomad/release",
    setting="gnomad_files_url",
    rate=1,
    concurrency=1,
    max_download=1024**3,
)
"""A storage bucket without a documented limit."""

RELEASE = "4.1.1"
CONSTRAINT = f"{RELEASE}/constraint/gnomad.v{RELEASE}.constraint_metrics.tsv.bgz"

MAX_BYTES = 4 * 1024**3
"""Bytes, decompressed. A row has lists of numbers and takes 8 KB, and there are some 200,000."""

ROW = (
    "gene_id",
    "transcript",
    "transcript_version",
    "canonical",
    "mane_select",
    "constraint_flags",
    "gene_flags",
    "lof.pLI",
)
CLASSES = ("lof", "mis", "syn")
METRICS = ("obs", "exp", "oe", "oe_ci.lower", "oe_ci.upper", "z_score")
COLUMNS = (*ROW, *(f"{variants}.{metric}" for variants in CLASSES for metric in METRICS))

MISSING = ("NA",)
"""An empty field is no number of gnomAD: a column that was emptied is not one without numbers."""

ENSEMBL, REFSEQ = "ENST", ("NM_", "NR_", "XM_", "XR_")


Ratio = Annotated[float, unit("ratio")]
"""The ratio of the observed to the expected number of variants."""


class Constraint(msgspec.Struct, frozen=True):
    """The observed and the expected number of variants of one class.

    All fields are null if gnomAD gives no number, because it expects no variant of the class or has
    no usable position in the transcript.
    """

    observed: Annotated[int | None, unit("variants")]
    """The number of distinct variants observed in gnomAD."""

    expected: Annotated[float | None, unit("variants")]
    """The number of variants that gnomAD's mutational model expects in the absence of selection."""

    oe: Ratio | None
    """The ratio of the observed to the expected number of variants."""

    oe_lower: Ratio | None
    """The lower bound of the 90 % confidence interval of `oe`."""

    oe_upper: Ratio | None
    """The upper bound of the 90 % confidence interval of `oe`."""

    z: Annotated[float | None, unit("standard deviations")]
    """The z score of the deviation from the expected number. Positive if fewer variants were
    observed than expected (constraint), negative if more were observed."""


class GnomadData(msgspec.Struct, frozen=True):
    """The constraint of a gene, which is that of one transcript."""

    transcript: str
    """The Ensembl id, with its version, of the transcript to which the numbers refer: the MANE
    Select transcript or, if there is none, the canonical transcript."""

    is_mane_select: bool
    """True if the transcript is MANE Select, false if it is Ensembl's canonical transcript."""

    pli: Annotated[float | None, unit("probability 0-1")]
    """pLI: the probability that the gene is intolerant to the loss of one copy (loss-of-function
    intolerant), from high-confidence loss-of-function variants. From 0 to 1; a high value means a
    constrained gene."""

    loeuf: Annotated[Ratio | None, BY_DEFAULT]
    """LOEUF: the upper bound of the 90 % confidence interval of observed / expected for
    high-confidence loss-of-function variants. A low value means a constrained gene. Equal to
    `lof.oe_upper`."""

    lof: Constraint
    """High-confidence loss-of-function variants (gnomAD's columns `lof.*`)."""

    mis: Constraint
    """Missense variants."""

    syn: Constraint
    """Synonymous variants. They are hardly under selection and serve as a control: a z score far
    from 0 means that the model does not fit the gene."""

    constraint_flags: tuple[str, ...]
    """gnomAD's warnings about the numbers: `no_variants`, `no_exp_lof`, `no_exp_mis`, `no_exp_syn`,
    `outlier_mis`, `outlier_syn`. Empty if there is none."""

    gene_flags: tuple[str, ...] | None
    """gnomAD's flags of genes that are hard to sequence or to call, such as `low_exome_coverage`.
    Empty if there is none; null if gnomAD does not state them."""

    @property
    def says_something(self) -> bool:
        """Whether a number is not 0."""
        given = (
            self.pli,
            *(constraint.observed or constraint.expected for constraint in self.classes),
        )
        return any(given)

    @property
    def classes(self) -> tuple[Constraint, ...]:
        """The three classes of variants."""
        return self.lof, self.mis, self.syn


def read(request: Any, path: Path) -> Reading:
    """Return the data of each requested gene. This is the file's reader.

    A gene has rows of RefSeq's and of Ensembl's transcripts. The row of the Ensembl transcript that
    is MANE Select counts, else that of the canonical transcript. A gene without such a row is
    absent: gnomAD does not give the constraint of such a gene either, only that of transcripts.
    """
    rows = Grouped[tuple[int, GnomadData]](ReaderRequest.of(request), "ensembl_gene_id")
    for line in read_table(path, COLUMNS, ended=True, max_size=MAX_BYTES):
        gene_id, transcript, version, canonical, mane, *_ = line.values
        with in_line(path, line.number):
            rank = 2 * _flag(mane) + _flag(canonical)
            if not _is_of_ensembl(gene_id, transcript, version) or not rank:
                rows.count(gene_id, says_something=False)
                continue
            data = _data(line.values)
        rows.add(gene_id, (rank, data), says_something=data.says_something)
    return reading([rows], _choose)


def _choose(rows: Sequence[tuple[int, GnomadData]]) -> GnomadData | str:
    best = max(rank for rank, _ in rows)
    found = {data for rank, data in rows if rank == best}
    if len(found) > 1:
        names = " and ".join(sorted(data.transcript for data in found))
        return f"the file has {len(found)} rows that represent the gene, of {names}"
    return found.pop()


def _is_of_ensembl(gene_id: str, transcript: str, version: str) -> bool:
    if transcript.startswith(REFSEQ):
        return False
    if not (
        transcript.startswith(ENSEMBL)
        and gene_id.startswith("ENSG")
        and version.startswith(f"{transcript}.")
    ):
        raise UnusableFile(f"{transcript[:40]!r} is no transcript of {gene_id[:40]!r}")
    return True


def _data(values: Sequence[str]) -> GnomadData:
    _, _, version, _, mane, constraint_flags, gene_flags, pli = values[: len(ROW)]
    size = len(METRICS)
    starts = range(len(ROW), len(values), size)
    lof, mis, syn = (_constraint(values[start : start + size]) for start in starts)
    flags = _flags(constraint_flags)
    if flags is None:
        raise UnusableFile("there are no constraint_flags")
    return GnomadData(
        transcript=version,
        is_mane_select=_flag(mane),
        pli=as_number(pli, MISSING, minimum=0, maximum=1),
        loeuf=lof.oe_upper,
        lof=lof,
        mis=mis,
        syn=syn,
        constraint_flags=flags,
        gene_flags=_flags(gene_flags),
    )


def _constraint(values: Sequence[str]) -> Constraint:
    *counts, z = values
    observed, expected, oe, lower, upper = (
        as_number(count, MISSING, minimum=0) for count in counts
    )
    if observed is not None and observed != int(observed):
        raise UnusableFile(f"{values[0]!r} is not a number of variants")
    return Constraint(
        observed=None if observed is None else int(observed),
        expected=expected,
        oe=oe,
        oe_lower=lower,
        oe_upper=upper,
        z=as_number(z, MISSING),
    )


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise UnusableFile(f"{text[:40]!r} is neither true nor false")
    return text == "true"


def _flags(text: str) -> tuple[str, ...] | None:
    if text == "NA":
        return None
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except msgspec.MsgspecError as error:
        raise UnusableFile(f"{text[:40]!r} is not a list of flags: {error}") from error


async def _probe(connect: Connector) -> str:
    return await has_columns(connect, FILES, CONSTRAINT, COLUMNS)


class Gnomad(FileSource):
    """The constraint of a gene against variation, on GRCh38: pLI, LOEUF and z scores.

    The numbers refer to one transcript of the gene: MANE Select or, if there is none, the canonical
    transcript. A gene is absent if gnomAD has no row of such a transcript, because gnomAD computes
    constraint for protein-coding genes only.
    """

    info = SourceInfo(
        name="gnomad",
        title="gnomAD constraint",
        licence="CC0",
        licence_url="https://gnomad.broadinstitute.org/policies",
        attribution="gnomAD v4.1.1, gnomad.broadinstitute.org",
        hosts=(FILES,),
        freshness=timedelta(days=180),
        needs=frozenset({"ensembl_gene_id"}),
        gene_page="https://gnomad.broadinstitute.org/gene/{ensembl_gene_id}?dataset=gnomad_r4",
        # v4.1 has 18,173 genes with MANE Select or canonical transcripts in one published import
        min_genes=17_000,
    )
    data = GnomadData
    pictures = (
        Scale(
            title="Observed / expected variants, with the 90 % confidence interval",
            lines=tuple(
                Line(
                    label=label,
                    value=f"{variants}.oe",
                    lower=f"{variants}.oe_lower",
                    upper=f"{variants}.oe_upper",
                    beside=(
                        ("observed", f"{variants}.observed"),
                        ("expected", f"{variants}.expected"),
                        ("z", f"{variants}.z"),
                        *((("LOEUF", "loeuf"),) if variants == "lof" else ()),
                    ),
                )
                for variants, label in zip(
                    CLASSES, ("loss of function", "missense", "synonymous"), strict=True
                )
            ),
            minimum=0,
            maximum=2,
            left="constrained: none are observed",
            right="twice as many as expected",
            mark=1,
        ),
        Scale(
            title="Probability of intolerance to the loss of one copy (pLI)",
            lines=(Line(label="pLI", value="pli"),),
            minimum=0,
            maximum=1,
            left="tolerant",
            right="intolerant",
        ),
    )
    file = BulkFile(FILES, (CONSTRAINT,), "app.annotation.sources.gnomad:read", RELEASE)
    probes = (
        HostProbe(
            host=FILES,
            title="gnomAD's file has the columns that are read",
            why="Runs of gnomAD wait for this file, and fail if its columns have changed.",
            ask=_probe,
        ),
    )
