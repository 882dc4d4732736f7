from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import NamedTuple

from sandbox.catalogue import Catalogue, Gene
from sandbox.clinvar.classifications import PROFILES, Profile, make_profiles
from sandbox.mixing import mix

#: The first VariationID and AlleleID. The variant at position n of the catalogue adds n.
FIRST_VARIATION = 100_001
FIRST_ALLELE = 115_042

#: The VariationID of the first gene's haplotype. The gene with index n of the catalogue adds n.
FIRST_HAPLOTYPE = 900_000_001
_HAPLOTYPE_EVERY = 7
_HAPLOTYPE_FIRST = 4

_AMINO = tuple(
    zip(
        wrap("AlaArgAsnAspCysGlnGluGlyHisIleLeuLysPheProSerThrTrpTyrVal", 3),
        "ARNDCQEGHILKFPSTWYV",
        strict=True,
    )
)
_BASES = tuple((a, b) for a in "ACGT" for b in "ACGT" if a != b)
_SHIFT_37 = 31_417  # GRCh37 positions are this much smaller

_KINDS = (
    ["missense variant"] * 28
    + ["synonymous variant"] * 9
    + ["intron variant"] * 7
    + ["frameshift variant"] * 5
    + ["nonsense"] * 4
    + ["splice donor variant"] * 2
    + ["splice acceptor variant"] * 2
    + ["3 prime UTR variant"] * 2
    + ["5 prime UTR variant"] * 2
    + ["inframe_deletion", "initiator codon variant", "copy number"]
)
_SNV = "single nucleotide variant"

# By consequence: type, cDNA change, protein change and its short form. A variant gets one of
# several.
_FORMS = {
    "missense variant": [
        (
            _SNV,
            "c.%(middle)d%(swap)s",
            "p.%(long)s%(codon)d%(other)s",
            "%(short)s%(codon)d%(other_short)s",
        )
    ],
    "synonymous variant": [(_SNV, "c.%(edge)d%(swap)s", "p.%(long)s%(codon)d=", "")],
    "intron variant": [
        (_SNV, "c.%(edge)d+%(far)d%(swap)s", "", ""),
        (_SNV, "c.%(edge)d-%(far)d%(swap)s", "", ""),
    ],
    "frameshift variant": [
        ("Deletion", "c.%(middle)ddel", "p.%(long)s%(codon)dfs", "%(short)s%(codon)dfs"),
        ("Duplication", "c.%(middle)ddup", "p.%(long)s%(codon)dfs", "%(short)s%(codon)dfs"),
    ],
    "nonsense": [
        *[(_SNV, "c.%(first)d%(swap)s", "p.%(long)s%(codon)dTer", "%(short)s%(codon)d*")] * 15,
        (_SNV, "c.%(first)d%(swap)s", "p.%(long)s%(codon)d*", "%(short)s%(codon)d*"),
    ],
    "splice donor variant": [(_SNV, "c.%(edge)d+%(near)d%(swap)s", "", "")],
    "splice acceptor variant": [(_SNV, "c.%(edge)d-%(near)d%(swap)s", "", "")],
    "3 prime UTR variant": [(_SNV, "c.*%(codon)d%(swap)s", "", "")],
    "5 prime UTR variant": [(_SNV, "c.-%(codon)d%(swap)s", "", "")],
    "inframe_deletion": [("Deletion", "c.%(first)d_%(edge)ddel", "p.%(long)s%(codon)ddel", "")],
    "initiator codon variant": [
        (_SNV, "c.1A>C", "p.Met1?", ""),
        (_SNV, "c.1A>G", "p.Met1?", ""),
    ],
}


class Change(NamedTuple):
    """A sequence change at transcript level. `consequence` is what ClinVar derives from it."""

    type: str
    cdna: str
    protein: str
    protein_short: str
    consequence: str


class Variant(NamedTuple):
    """A ClinVar variation record. API answers and table rows are made from it.

    `assemblies` is 2 (GRCh37 and GRCh38), 1 (GRCh38 only) or 0 (no known location). `cdna` and
    `consequence` are empty for a copy number variant.
    """

    variation_id: int
    allele_id: int
    genes: tuple[Gene, ...]
    title: str
    change: Change
    start: int
    stop: int
    start_37: int
    stop_37: int
    reference: str
    alternate: str
    assemblies: int
    profile: Profile


class Variants:
    """Generates any variant of a catalogue from its position, so that none is stored."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.profiles = make_profiles(catalogue.options.seed)
        self._seed = catalogue.options.seed

    def __len__(self) -> int:
        return self.catalogue.variant_count

    def ids_of(self, gene: Gene) -> list[int]:
        """Return the VariationIDs of all variants that concern a gene."""
        return [FIRST_VARIATION + place for place in self.catalogue.variants_of(gene)]

    def haplotypes_of(self, gene: Gene) -> list[int]:
        """Return the VariationIDs of a gene's haplotypes, which the bulk table does not list."""
        has = gene.index % _HAPLOTYPE_EVERY == _HAPLOTYPE_FIRST
        return [FIRST_HAPLOTYPE + gene.index] if has else []

    def known(self, variation_id: int) -> bool:
        """Tell whether a variant with this id exists."""
        if variation_id >= FIRST_HAPLOTYPE:
            index = variation_id - FIRST_HAPLOTYPE
            genes = self.catalogue.genes
            return index < len(genes) and bool(self.haplotypes_of(genes[index]))
        return 0 <= variation_id - FIRST_VARIATION < len(self)

    def profile_at(self, place: int) -> Profile:
        """Return the classifications of the variant at a position, without generating the rest."""
        return self.profiles[mix(self._seed, place) % PROFILES]

    def genes_of(self, variation_id: int) -> tuple[Gene, ...]:
        """Return the genes that a variant concerns, without generating the rest."""
        place = variation_id - FIRST_VARIATION
        return self.catalogue.spanned(self.catalogue.owner(place), place)

    def __iter__(self) -> Iterator[Variant]:
        return self.starting_in(self.catalogue.genes)

    def starting_in(self, genes: Iterable[Gene]) -> Iterator[Variant]:
        """Yield the variants that begin in some genes."""
        for gene in genes:
            for place in range(gene.first_variant, gene.first_variant + gene.variants):
                yield self._at(gene, place)

    def by_id(self, variation_id: int) -> Variant:
        """Return the variant with a known id."""
        if variation_id >= FIRST_HAPLOTYPE:
            return self._haplotype(self.catalogue.genes[variation_id - FIRST_HAPLOTYPE])
        place = variation_id - FIRST_VARIATION
        return self._at(self.catalogue.owner(place), place)

    def _haplotype(self, gene: Gene) -> Variant:
        first, second = (f"c.{3 * codon - 1}A>G" for codon in (10, 20))
        title = f"NM_{9_000_000 + gene.index:09d}.3({gene.symbol}):c.[{first[2:]};{second[2:]}]"
        change = Change("Haplotype", "", "", "", "")
        number = FIRST_HAPLOTYPE + gene.index
        profile = self.profiles[mix(self._seed, number) % PROFILES]
        return Variant(number, number, (gene,), title, change, 0, 0, 0, 0, "", "", 0, profile)

    def _at(self, owner: Gene, place: int) -> Variant:
        bits = mix(self._seed, place)
        profile = self.profiles[bits % PROFILES]
        genes = self.catalogue.spanned(owner, place)
        bits >>= 10
        kind = _KINDS[bits & 63]
        # Most variants that span genes are large; a few lie where two genes overlap.
        if len(genes) > 1 and bits & 3:
            kind = "copy number"
        bits >>= 6
        start = owner.start + bits % 40_000
        bits >>= 8
        codon = 2 + bits % 1_800
        bits >>= 4
        reference, alternate = _BASES[bits % 12]
        if kind == "copy number":
            stop = start + 9_000 + bits % 30_000 + 50_000 * (len(genes) - 1)
            gain = bits & 1
            change = Change(f"copy number {'gain' if gain else 'loss'}", "", "", "", "")
            title = (
                f"GRCh38/hg38 {owner.location}(chr{owner.chromosome}:{start}-{stop})"
                f"x{3 if gain else 1}"
            )
        else:
            change = _change(kind, codon, reference, alternate, bits >> 4)
            stop = start + (2 if kind == "inframe_deletion" else 0)
            protein = f" ({change.protein})" if change.protein else ""
            title = f"NM_{9_000_000 + owner.index:09d}.3({owner.symbol}):{change.cdna}{protein}"
        rest = bits % 97
        return Variant(
            FIRST_VARIATION + place,
            FIRST_ALLELE + place,
            genes,
            title,
            change,
            start,
            stop,
            start - _SHIFT_37,
            stop - _SHIFT_37,
            reference,
            alternate,
            1 if rest < 6 else 0 if rest == 6 else 2,  # noqa: PLR2004 - six and one per cent
            profile,
        )


def _change(kind: str, codon: int, reference: str, alternate: str, bits: int) -> Change:
    amino = bits % 19
    long, short = _AMINO[amino]
    other, other_short = _AMINO[(amino + 1 + (bits >> 5) % 18) % 19]
    words = {
        "first": 3 * codon - 2,
        "middle": 3 * codon - 1,
        "edge": 3 * codon,
        "codon": codon,
        "swap": f"{reference}>{alternate}",
        "near": 1 + (bits & 1),
        "far": 3 + (bits >> 1) % 60,
        "long": long,
        "short": short,
        "other": other,
        "other_short": other_short,
    }
    forms = _FORMS[kind]
    type_, cdna, protein, protein_short = forms[bits % len(forms)]
    return Change(type_, cdna % words, protein % words, protein_short % words, kind)
