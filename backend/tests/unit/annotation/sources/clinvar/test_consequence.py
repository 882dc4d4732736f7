import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.annotation.sources.clinvar.consequence as module
from app.annotation.sources.clinvar.consequence import TERMS, consequence

GENE = "NM_004333.6(BRAF):"


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ("c.1799T>A (p.Val600Glu)", "missense variant"),
        ("c.1799_1800delinsAA (p.Val600Lys)", "missense variant"),
        ("c.298A>G (p.Met100Val)", "missense variant"),
        ("c.1831C>T (p.Arg611Ter)", "nonsense"),
        ("c.1831C>T (p.Arg611*)", "nonsense"),
        ("c.34_35insTAG (p.Gly12_Ala13insTer)", "nonsense"),
        ("c.36A>G (p.Ser12=)", "synonymous variant"),
        ("c.1A>G (p.Met1Val)", "initiator codon variant"),
        ("c.3G>A (p.Met1Ile)", "initiator codon variant"),
        ("c.1A>G (p.Met1?)", "initiator codon variant"),
        ("c.3895del (p.Gln1299fs)", "frameshift variant"),
        ("c.3895del (p.Gln1299ArgfsTer12)", "frameshift variant"),
        ("c.1521_1523del (p.Phe508del)", "inframe deletion"),
        ("c.4_9del (p.Lys2_Met3del)", "inframe deletion"),
        ("c.4_9dup (p.Lys2_Met3dup)", "inframe insertion"),
        ("c.9_10insGGA (p.Met3_Ala4insGly)", "inframe insertion"),
        ("c.4_9delinsGGA (p.Lys2_Met3delinsGly)", "inframe indel"),
        ("c.2299T>C (p.Ter767Arg)", "stop lost"),
        ("c.2301A>G (p.Ter767=)", "synonymous variant"),
        ("c.2290_2301del (p.Ala764_Ter767del)", "stop lost"),
        ("c.123+1G>A", "splice donor variant"),
        ("c.123+2T>C", "splice donor variant"),
        ("c.123+3A>G", "intron variant"),
        ("c.124-1G>A", "splice acceptor variant"),
        ("c.124-2A>G", "splice acceptor variant"),
        ("c.124-3C>T", "intron variant"),
        ("c.123_123+4del", "splice donor variant"),
        ("c.123+3_123+9del", "intron variant"),
        ("c.124-5_124-1del", "splice acceptor variant"),
        ("c.124-5_124-3del", "intron variant"),
        ("c.124-5_126del", "splice acceptor variant"),
        ("c.123+50_124-20del", "intron variant"),
        ("c.123+50_124-1del", "splice acceptor variant"),
        ("c.123+50_200del", "splice acceptor variant"),
        ("c.-12C>T", "5 prime UTR variant"),
        ("c.-30_-12del", "5 prime UTR variant"),
        ("c.-12+1G>A", "splice donor variant"),
        ("c.*45A>G", "3 prime UTR variant"),
        ("c.*45-2A>G", "splice acceptor variant"),
        ("c.-3_5del", None),
        ("c.1799T>A", None),
        ("n.97G>A", "non-coding transcript variant"),
        ("n.97+1G>A", "splice donor variant"),
        ("c.69GCA[18] (p.Gln80[24])", None),
        ("c.1A>G (p.?)", None),
    ],
)
def test_the_name_describes_the_consequence(change: str, term: str | None) -> None:
    assert consequence(GENE + change) == term


@pytest.mark.parametrize(
    "name",
    [
        "GRCh38/hg38 1p36.33-36.31(chr1:844347-6477436)x1",
        "NC_000017.11:g.43044295del",
        "NM_000059.3(BRCA2):c.(67+1_68-1)_(316+1_317-1)del",
        "Single allele",
        "",
    ],
)
def test_a_name_without_a_consequence_gives_none(name: str) -> None:
    assert consequence(name) is None


@given(st.text(alphabet="NM_0123456789.():cpng*=+->delinsdupfsTerMetValArg?[] ", max_size=60))
def test_any_text_gives_a_consequence_or_none(name: str) -> None:
    assert consequence(name) is None or consequence(name)


def test_all_terms_are_declared() -> None:
    named = {
        value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }
    assert named == set(TERMS)
    assert len(named) == len(TERMS)
