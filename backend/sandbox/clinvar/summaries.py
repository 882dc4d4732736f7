from sandbox.clinvar.chromosomes import ACCESSION_38
from sandbox.clinvar.variants import Variant

# One record of esummary's JSON (version 0.3), key for key as recorded from the service.
_RECORD = (
    '"%(id)d":{"uid":"%(id)d","obj_type":"%(type)s","accession":"VCV%(id)09d",'
    '"accession_version":"VCV%(id)09d.%(version)d","title":"%(title)s","variation_set":[{'
    '"measure_id":"%(allele)d","variation_xrefs":[%(xrefs)s],"variation_name":"%(title)s",'
    '"cdna_change":"%(cdna)s","aliases":[],"variation_loc":[%(locations)s],"allele_freq_set":[],'
    '"variant_type":"%(type)s","canonical_spdi":"%(spdi)s","common_name":""}],'
    '"supporting_submissions":{"scv":[%(scvs)s],"rcv":[%(rcvs)s]},%(classifications)s,'
    '"record_status":"","gene_sort":"%(gene_sort)s","chr_sort":"%(chr_sort)s",'
    '"location_sort":"%(start)020d","variation_set_name":"","variation_set_id":"",'
    '"genes":[%(genes)s],"molecular_consequence_list":[%(consequences)s],'
    '"protein_change":"%(protein)s","fda_recognized_database":""}'
)
_LOCATION = (
    '{"status":"%s","assembly_name":"%s","chr":"%s","band":"%s","start":"%d","stop":"%d",'
    '"inner_start":"","inner_stop":"","outer_start":"","outer_stop":"","display_start":"%d",'
    '"display_stop":"%d","assembly_acc_ver":"%s","annotation_release":"","alt":"","ref":""}'
)
_XREFS = '{"db_source":"ClinGen","db_id":"CA%d"},{"db_source":"dbSNP","db_id":"%d"}'
_DBVAR = '{"db_source":"dbVar","db_id":"nsv%d"}'
_GENE = '{"symbol":"%s","geneid":"%s","strand":"%s","source":"%s"}'


def record(variant: Variant) -> str:
    """Return the variant's entry in esummary's `result`: `"<uid>":{...}`, without a comma."""
    gene = variant.genes[0]
    change = variant.change
    number = variant.variation_id
    chromosome = gene.chromosome
    source = "submitted" if len(variant.genes) == 1 else "calculated"
    return _RECORD % {
        "id": number,
        "type": change.type,
        "version": 1 + number % 40,
        "title": variant.title,
        "allele": variant.allele_id,
        "xrefs": _XREFS % clingen_and_dbsnp(variant) if change.cdna else _DBVAR % number,
        "cdna": change.cdna,
        "locations": _locations(variant),
        "spdi": (
            f"{ACCESSION_38[chromosome]}:{variant.start - 1}:"
            f"{variant.reference}:{variant.alternate}"
            if change.cdna
            else ""
        ),
        "scvs": ",".join([f'"{scv}"' for scv in scvs(variant)]),
        "rcvs": ",".join([f'"{rcv}"' for rcv in rcvs(variant)]),
        "classifications": variant.profile.json_text,
        "gene_sort": gene.symbol if len(variant.genes) == 1 else "",
        "chr_sort": chromosome.zfill(2),
        "start": variant.start if variant.assemblies else 0,
        "genes": ",".join(
            [
                _GENE % (g.symbol, g.entrez_id, "+" if g.strand > 0 else "-", source)
                for g in variant.genes
            ]
        ),
        "consequences": f'"{change.consequence}"' if change.consequence else "",
        "protein": change.protein_short,
    }


def clingen_and_dbsnp(variant: Variant) -> tuple[int, int]:
    """Return the numbers of the ClinGen allele and of the dbSNP cluster."""
    return 300_000_000 + variant.variation_id, 1_500_000_000 + variant.variation_id


def scvs(variant: Variant) -> list[str]:
    """Return the accessions of the submissions to a record, germline ones first."""
    number = variant.variation_id
    profile = variant.profile
    return [
        f"SCV{number * 6 + place:09d}"
        for place in range(
            bool(profile.germline.description) * profile.submitters
            + bool(profile.impact.description)
            + bool(profile.oncogenicity.description)
        )
    ]


def rcvs(variant: Variant) -> list[str]:
    """Return the accessions of the variant-condition pairs of a record."""
    return [f"RCV{variant.variation_id * 3 + place:09d}" for place in range(variant.profile.rcvs)]


def _locations(variant: Variant) -> str:
    if not variant.assemblies:
        return ""
    gene = variant.genes[0]
    start, stop = variant.start, variant.stop
    current = _LOCATION % (
        "current", "GRCh38", gene.chromosome, gene.location,
        start, stop, start, stop, "GCF_000001405.38",
    )  # fmt: skip
    if variant.assemblies == 1:
        return current
    start, stop = variant.start_37, variant.stop_37
    previous = _LOCATION % (
        "previous", "GRCh37", gene.chromosome, gene.location,
        start, stop, start, stop, "GCF_000001405.25",
    )  # fmt: skip
    return f"{current},{previous}"
