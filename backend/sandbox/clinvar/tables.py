from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from isal import igzip

from sandbox.catalogue import Gene
from sandbox.clinvar.chromosomes import ACCESSION_37, ACCESSION_38
from sandbox.clinvar.classifications import significance_simple
from sandbox.clinvar.summaries import clingen_and_dbsnp, rcvs, scvs
from sandbox.clinvar.variants import Variant, Variants

#: Columns of variant_summary.txt since 2024, in the file's order.
COLUMNS = (
    "#AlleleID", "Type", "Name", "GeneID", "GeneSymbol", "HGNC_ID", "ClinicalSignificance",
    "ClinSigSimple", "LastEvaluated", "RS# (dbSNP)", "nsv/esv (dbVar)", "RCVaccession",
    "PhenotypeIDS", "PhenotypeList", "Origin", "OriginSimple", "Assembly", "ChromosomeAccession",
    "Chromosome", "Start", "Stop", "ReferenceAllele", "AlternateAllele", "Cytogenetic",
    "ReviewStatus", "NumberSubmitters", "Guidelines", "TestedInGTR", "OtherIDs",
    "SubmitterCategories", "VariationID", "PositionVCF", "ReferenceAlleleVCF",
    "AlternateAlleleVCF", "SomaticClinicalImpact", "SomaticClinicalImpactLastEvaluated",
    "ReviewStatusClinicalImpact", "Oncogenicity", "OncogenicityLastEvaluated",
    "ReviewStatusOncogenicity", "SCVsForAggregateGermlineClassification",
    "SCVsForAggregateSomaticClinicalImpact", "SCVsForAggregateOncogenicityClassification",
)  # fmt: skip

_SUMMARY_COLUMNS = (
    "#Symbol", "GeneID", "Total_submissions", "Total_alleles", "Submissions_reporting_this_gene",
    "Alleles_reported_Pathogenic_Likely_pathogenic", "Gene_MIM_number", "Number_uncertain",
    "Number_with_conflicts",
)  # fmt: skip

_CHUNK_ROWS = 400
_ORIGINS = ("germline\tgermline", "germline;unknown\tgermline", "de novo;germline\tgermline")


class Sink(Protocol):
    """A writable file."""

    def write(self, data: bytes, /) -> object:
        """Write bytes."""


@contextmanager
def compressed(path: Path) -> Iterator[Sink]:
    """Write a gzip file without a name and time. Equal rows give identical bytes."""
    packed: Any = igzip.IGzipFile  # isal's stubs leave its constructor untyped
    with (
        path.open("wb") as file,
        packed(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as sink,
    ):
        yield sink


def rows(variant: Variant) -> tuple[str, ...]:
    """Return the rows of a variant with line ends, at most one each for GRCh37 and GRCh38."""
    genes = variant.genes
    gene = genes[0]
    profile = variant.profile
    change = variant.change
    clinsig, evaluated, review = profile.germline.as_columns()
    submissions = scvs(variant)
    germline = profile.submitters if profile.germline.description else 0
    impact = germline + bool(profile.impact.description)
    allele, rs = clingen_and_dbsnp(variant)
    symbols = ";".join([g.symbol for g in genes])
    head = "\t".join(
        (
            str(variant.allele_id),
            change.type,
            variant.title,
            gene.entrez_id if len(genes) == 1 else "-1",
            symbols,
            gene.hgnc_id if len(genes) == 1 else "-",
            clinsig,
            str(significance_simple(profile)),
            evaluated,
            str(rs) if change.cdna else "-1",
            "-" if change.cdna else f"nsv{variant.variation_id}",
            "|".join(rcvs(variant)),
            profile.phenotype_columns,
            _ORIGINS[variant.variation_id % 3],
        )
    )
    end = "\t".join(
        (
            *profile.impact.as_columns(),
            *profile.oncogenicity.as_columns(),
            "|".join(submissions[:germline]) or "-",
            "|".join(submissions[germline:impact]) or "-",
            "|".join(submissions[impact:]) or "-",
        )
    )
    other = f"ClinGen:CA{allele},dbSNP:{rs}" if change.cdna else "-"
    middle = (
        f"na\tna\t{gene.location}\t{review}\t{len(submissions)}\t-\tN\t{other}\t"
        f"{1 + variant.variation_id % 3}\t{variant.variation_id}"
    )
    if not variant.assemblies:
        return (f"{head}\tna\tna\tna\t-1\t-1\t{middle}\t-1\tna\tna\t{end}\n",)
    chromosome = gene.chromosome
    if change.cdna:
        alleles = f"{variant.reference}\t{variant.alternate}"
        at_38, at_37 = variant.start, variant.start_37
    else:
        alleles, at_38, at_37 = "na\tna", -1, -1
    row_38 = (
        f"{head}\tGRCh38\t{ACCESSION_38[chromosome]}\t{chromosome}\t{variant.start}\t"
        f"{variant.stop}\t{middle}\t{at_38}\t{alleles}\t{end}\n"
    )
    if variant.assemblies == 1:
        return (row_38,)
    row_37 = (
        f"{head}\tGRCh37\t{ACCESSION_37[chromosome]}\t{chromosome}\t{variant.start_37}\t"
        f"{variant.stop_37}\t{middle}\t{at_37}\t{alleles}\t{end}\n"
    )
    return (row_37, row_38)


def write_variant_summary(
    variants: Variants, sink: Sink, genes: Sequence[Gene], most_rows: int | None = None
) -> None:
    """Write the rows of some genes in variant_summary.txt, at most `most_rows`."""
    sink.write(("\t".join(COLUMNS) + "\n").encode())
    lines = (row for variant in variants.starting_in(genes) for row in rows(variant))
    for chunk in _chunks(lines if most_rows is None else islice(lines, most_rows)):
        sink.write(chunk)


def write_gene_specific_summary(variants: Variants, sink: Sink, genes: Sequence[Gene]) -> None:
    """Write gene_specific_summary.txt: a line of prose, the header, and the genes with variants."""
    sink.write(b"#Overview of data in ClinVar by gene, dated November 2, 2025\n")
    sink.write(("\t".join(_SUMMARY_COLUMNS) + "\n").encode())
    for chunk in _chunks(_gene_rows(variants, genes)):
        sink.write(chunk)


def _gene_rows(variants: Variants, genes: Sequence[Gene]) -> Iterator[str]:
    catalogue = variants.catalogue
    for gene in genes:
        places = catalogue.variants_of(gene)
        if not places:
            continue
        profiles = [variants.profile_at(place) for place in places]
        descriptions = [profile.germline.description for profile in profiles]
        harmful = sum(significance_simple(profile) > 0 for profile in profiles)
        uncertain = sum(text.startswith("Uncertain") for text in descriptions)
        conflicts = sum(text.startswith("Conflicting") for text in descriptions)
        submissions = sum(profile.submitters for profile in profiles)
        yield (
            f"{gene.symbol}\t{gene.entrez_id}\t{submissions}\t{len(places)}\t"
            f"{submissions // 3 or '-'}\t{harmful}\t-\t{uncertain}\t{conflicts}\n"
        )


def _chunks(lines: Iterable[str]) -> Iterator[bytes]:
    iterator = iter(lines)
    while chunk := "".join(islice(iterator, _CHUNK_ROWS)):
        yield chunk.encode()
