import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from app.annotation.sources.base import FileSource
from app.annotation.sources.connector import Connector
from app.annotation.sources.declaration import BulkFile, SourceInfo
from app.annotation.sources.keyed import Grouped, ReaderRequest, reading
from app.annotation.sources.pictures import Bars
from app.annotation.sources.probe import HostProbe
from app.annotation.sources.probing import has_columns
from app.annotation.sources.structure import BY_DEFAULT, MOVES, keys, unit
from app.annotation.upstream.bulk_files.lines import UnusableFile, in_line
from app.annotation.upstream.bulk_files.messages import Reading
from app.annotation.upstream.bulk_files.tables import Line, as_numbers, read_rows
from app.annotation.upstream.host import Host

FILES = Host(
    name="gtex-files",
    title="GTEx's files",
    url="https://storage.googleapis.com/adult-gtex/bulk-gex",
    setting="gtex_files_url",
    rate=1,
    concurrency=1,
)
"""A storage bucket without a documented limit."""

RELEASE = "v10"
MEDIANS = f"{RELEASE}/rna-seq/GTEx_Analysis_{RELEASE}_RNASeQCv2.4.2_gene_median_tpm.gct.gz"

NAMES = ("Name", "Description")
"""The columns before the tissues: the versioned gene id of GENCODE, and the symbol."""

KIDNEY_CORTEX, KIDNEY_MEDULLA = "Kidney_Cortex", "Kidney_Medulla"
TISSUES = (
    "Adipose_Subcutaneous",
    "Adipose_Visceral_Omentum",
    "Adrenal_Gland",
    "Artery_Aorta",
    "Artery_Coronary",
    "Artery_Tibial",
    "Bladder",
    "Brain_Amygdala",
    "Brain_Anterior_cingulate_cortex_BA24",
    "Brain_Caudate_basal_ganglia",
    "Brain_Cerebellar_Hemisphere",
    "Brain_Cerebellum",
    "Brain_Cortex",
    "Brain_Frontal_Cortex_BA9",
    "Brain_Hippocampus",
    "Brain_Hypothalamus",
    "Brain_Nucleus_accumbens_basal_ganglia",
    "Brain_Putamen_basal_ganglia",
    "Brain_Spinal_cord_cervical_c-1",
    "Brain_Substantia_nigra",
    "Breast_Mammary_Tissue",
    "Cells_Cultured_fibroblasts",
    "Cells_EBV-transformed_lymphocytes",
    "Cervix_Ectocervix",
    "Cervix_Endocervix",
    "Colon_Sigmoid",
    "Colon_Transverse",
    "Esophagus_Gastroesophageal_Junction",
    "Esophagus_Mucosa",
    "Esophagus_Muscularis",
    "Fallopian_Tube",
    "Heart_Atrial_Appendage",
    "Heart_Left_Ventricle",
    KIDNEY_CORTEX,
    KIDNEY_MEDULLA,
    "Liver",
    "Lung",
    "Minor_Salivary_Gland",
    "Muscle_Skeletal",
    "Nerve_Tibial",
    "Ovary",
    "Pancreas",
    "Pituitary",
    "Prostate",
    "Skin_Not_Sun_Exposed_Suprapubic",
    "Skin_Sun_Exposed_Lower_leg",
    "Small_Intestine_Terminal_Ileum",
    "Spleen",
    "Stomach",
    "Testis",
    "Thyroid",
    "Uterus",
    "Vagina",
    "Whole_Blood",
)
"""The 54 tissues. The file has 14 more columns, of parts of these tissues that were cut out by
laser (`Liver_Hepatocyte`, `Pancreas_Islets`, ...). They are not read."""

_GENE = re.compile(r"(ENSG\d{11})\.\d+(_PAR_Y)?")


Tpm = Annotated[float, unit("TPM")]
"""Transcripts per million."""


class Medians(msgspec.Struct, frozen=True):
    """A row of the file: the gene's versioned id, and the medians in the order of the tissues."""

    gencode_id: str
    tpm: tuple[float, ...]


class GtexData(msgspec.Struct, frozen=True):
    """The expression of a gene in the tissues of adult donors, measured in bulk."""

    gencode_id: Annotated[str, MOVES]
    """The GENCODE (Ensembl) gene id that GTEx uses, with its version."""

    kidney_cortex_tpm: Annotated[Tpm, BY_DEFAULT]
    """Median expression over all samples of the kidney cortex, in TPM (transcripts per million). 0
    means that no transcript of the gene was measured in at least half of the samples."""

    kidney_medulla_tpm: Tpm
    """Median expression over all samples of the kidney medulla, in TPM. GTEx has only few samples
    of this tissue."""

    tissues_tpm: Annotated[dict[str, Tpm], keys(*TISSUES)]
    """Median expression over all samples of each tissue, in TPM. The keys are GTEx's ids of the 54
    tissues, including the two of the kidney."""


def read(request: Any, path: Path) -> Reading:
    """Return the data of each requested gene. This is the file's reader.

    A gene of the pseudoautosomal regions has a second row, for the copy on Y, whose id ends in
    `_PAR_Y`. GTEx counts no reads for it. It is not the gene's row.
    """
    rows = Grouped[Medians](ReaderRequest.of(request), "ensembl_gene_id")
    for line in _table(path):
        name, *fields = line.values
        with in_line(path, line.number):
            gene = _GENE.fullmatch(name)
            if gene is None:
                raise UnusableFile(f"{name[:40]!r} is not a gene id of GENCODE")
            tpm = as_numbers(fields, minimum=0)
        if gene[2]:
            rows.count(name, says_something=any(tpm))
        else:
            rows.add(gene[1], Medians(name, tuple(tpm)), says_something=any(tpm))
    return reading([rows], _data)


def _table(path: Path) -> Iterator[Line]:
    """Read a GCT file: a line with the format, one with the numbers of rows and columns, a header.

    Raises:
        UnusableFile: a column is missing, or there are not as many rows as the file says.
    """
    lines = read_rows(path, ended=True)
    (_, version), (_, size), (_, header) = (next(lines, Line(0, ())) for _ in range(3))
    if missing := [name for name in (*NAMES, *TISSUES) if name not in header]:
        raise UnusableFile(f"{path.name} has no column {', '.join(missing)}")
    columns = len(header) - len(NAMES)
    if version != ("#1.2",) or len(size) != len(NAMES) or size[1] != str(columns):
        raise UnusableFile(f"{path.name} does not begin with #1.2 and the number of its columns")
    places = [header.index(name) for name in (NAMES[0], *TISSUES)]
    rows = 0
    for number, fields in lines:
        rows += 1
        if len(fields) != len(header):
            raise UnusableFile(
                f"{path.name}, line {number}: {len(fields)} fields in {len(header)} columns"
            )
        yield Line(number, tuple(fields[place] for place in places))
    if size[0] != str(rows):
        raise UnusableFile(f"{path.name} says that it has {size[0][:20]} rows, and has {rows}")


def _data(rows: Sequence[Medians]) -> GtexData | str:
    first, *others = set(rows)
    if others:
        return f"the file has {len(others) + 1} rows for the gene"
    tissues = dict(zip(TISSUES, first.tpm, strict=True))
    return GtexData(first.gencode_id, tissues[KIDNEY_CORTEX], tissues[KIDNEY_MEDULLA], tissues)


async def _probe(connect: Connector) -> str:
    return await has_columns(connect, FILES, MEDIANS, (*NAMES, *TISSUES), lines_before=2)


class Gtex(FileSource):
    """The expression of a gene in 54 tissues of adult donors, as median TPM.

    A gene with 0 TPM in every tissue is found, because GTEx has measured it. A gene is absent if it
    is missing in GENCODE v39, the gene annotation of GTEx v10.
    """

    info = SourceInfo(
        name="gtex",
        title="GTEx",
        licence="open access",
        licence_url="https://gtexportal.org/home/license",
        attribution="GTEx v10, The Genotype-Tissue Expression Project, gtexportal.org",
        hosts=(FILES,),
        freshness=timedelta(days=180),
        needs=frozenset({"ensembl_gene_id"}),
        gene_page="https://gtexportal.org/home/gene/{ensembl_gene_id}",
        # v10 has 59,033 genes; those with 0 in every tissue, such as many pseudogenes, do not count
        min_genes=30_000,
    )
    data = GtexData
    pictures = (
        Bars(
            title="Median expression, and the kidney's",
            field="tissues_tpm",
            marked=(KIDNEY_CORTEX, KIDNEY_MEDULLA),
        ),
    )
    file = BulkFile(FILES, (MEDIANS,), "app.annotation.sources.gtex:read", RELEASE)
    probes = (
        HostProbe(
            host=FILES,
            title="GTEx's file has the tissues that are read",
            why="Runs of GTEx wait for this file, and fail if its columns have changed.",
            ask=_probe,
        ),
    )
