from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from isal import igzip

from sandbox.catalogue import Gene
from sandbox.mixing import mix
from sandbox.service import ServedFile, Service

NOT_COUNTED, NOT_EXPRESSED, ON_X_AND_Y = 13, 17, 19
"""Places (index modulo 50) of the genes that have no row, 0 in every tissue, or a second row for
the copy on Y."""

TISSUES = (
    "Adipose_Subcutaneous", "Adipose_Visceral_Omentum", "Adrenal_Gland", "Artery_Aorta",
    "Artery_Coronary", "Artery_Tibial", "Bladder", "Brain_Amygdala",
    "Brain_Anterior_cingulate_cortex_BA24", "Brain_Caudate_basal_ganglia",
    "Brain_Cerebellar_Hemisphere", "Brain_Cerebellum", "Brain_Cortex", "Brain_Frontal_Cortex_BA9",
    "Brain_Hippocampus", "Brain_Hypothalamus", "Brain_Nucleus_accumbens_basal_ganglia",
    "Brain_Putamen_basal_ganglia", "Brain_Spinal_cord_cervical_c-1", "Brain_Substantia_nigra",
    "Breast_Mammary_Tissue", "Cells_Cultured_fibroblasts", "Cells_EBV-transformed_lymphocytes",
    "Cervix_Ectocervix", "Cervix_Endocervix", "Colon_Sigmoid", "Colon_Transverse",
    "Colon_Transverse_Mixed_Cell", "Colon_Transverse_Mucosa", "Colon_Transverse_Muscularis",
    "Esophagus_Gastroesophageal_Junction", "Esophagus_Mucosa", "Esophagus_Muscularis",
    "Fallopian_Tube", "Heart_Atrial_Appendage", "Heart_Left_Ventricle", "Kidney_Cortex",
    "Kidney_Medulla", "Liver", "Liver_Hepatocyte", "Liver_Mixed_Cell", "Liver_Portal_Tract", "Lung",
    "Minor_Salivary_Gland", "Muscle_Skeletal", "Nerve_Tibial", "Ovary", "Pancreas",
    "Pancreas_Acini", "Pancreas_Islets", "Pancreas_Mixed_Cell", "Pituitary", "Prostate",
    "Skin_Not_Sun_Exposed_Suprapubic", "Skin_Sun_Exposed_Lower_leg",
    "Small_Intestine_Terminal_Ileum", "Small_Intestine_Terminal_Ileum_Lymphode_Aggregate",
    "Small_Intestine_Terminal_Ileum_Mixed_Cell", "Spleen", "Stomach", "Stomach_Mixed_Cell",
    "Stomach_Mucosa", "Stomach_Muscularis", "Testis", "Thyroid", "Uterus", "Vagina", "Whole_Blood",
)  # fmt: skip
"""The 68 columns of v10: 54 tissues, and 14 parts of tissues."""

_MEDIANS = [
    f"\t{each / 1000:.6g}" if each % 10 else "\t0"
    for each in (mix(2, number) % 1_000_000 for number in range(10_007))
]
"""Medians to draw from, each after a tab. A few are 0."""


class Gtex(Service):
    """GTEx's medians: a GCT file, which has three lines before the first gene."""

    name = "gtex"
    addresses: ClassVar = {"GTEX_FILES_URL": "gtex"}

    def files(self) -> Sequence[ServedFile]:
        """Return the medians."""
        name = "GTEx_Analysis_v10_RNASeQCv2.4.2_gene_median_tpm.gct.gz"
        return (
            ServedFile(
                name="gtex.median_tpm",
                path=f"/gtex/v10/rna-seq/{name}",
                write=_write,
                renames="Kidney_Cortex",
                numbers=TISSUES,
            ),
        )


def _write(path: Path, genes: Sequence[Gene]) -> None:
    counted = [gene for gene in genes if gene.index % 50 != NOT_COUNTED]
    twins = sum(gene.index % 50 == ON_X_AND_Y for gene in counted)
    packed: Any = igzip.IGzipFile  # isal's stubs leave its constructor untyped
    with (
        path.open("wb") as file,
        packed(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as sink,
    ):
        sink.write(f"#1.2\n{len(counted) + twins}\t{len(TISSUES)}\n".encode())
        sink.write("\t".join(("Name", "Description", *TISSUES)).encode() + b"\n")
        for gene in counted:
            sink.write(_rows(gene).encode())


def _rows(gene: Gene) -> str:
    name = f"{gene.ensembl_id}.{1 + gene.index % 20}"
    nothing = "\t0" * len(TISSUES)
    tpm = nothing if gene.index % 50 == NOT_EXPRESSED else _tpm(gene)
    row = f"{name}\t{gene.symbol}{tpm}\n"
    if gene.index % 50 == ON_X_AND_Y:
        return f"{row}{name}_PAR_Y\t{gene.symbol}{nothing}\n"
    return row


def _tpm(gene: Gene) -> str:
    """Return the medians of a gene, each after a tab."""
    drawn = mix(1, gene.index)
    start, step = drawn % len(_MEDIANS), 1 + (drawn >> 20) % 100
    return "".join(
        _MEDIANS[(start + number * step) % len(_MEDIANS)] for number in range(len(TISSUES))
    )
