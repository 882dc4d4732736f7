"""Which genes satisfy conditions on their answers."""

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, select

from app.annotation.data.conditions import parse_conditions, satisfied
from app.annotation.data.fields import fields_of
from app.annotation.data.moments import NOW, Moment
from app.annotation.sources import SOURCES
from app.core.errors import WrongUse
from app.db.engine import psycopg_url
from app.db.tables import annotations, genes
from tests.conftest import REPOSITORY

KNOWN = {source: fields_of(source) for source in SOURCES}

FETCHED = datetime(2026, 3, 31, 18, tzinfo=UTC)

PANELS = [
    {"region": "UK", "panel_id": 283, "panel": "Cystic kidney", "confidence": "green",
     "evidence": ["Expert Review Green", "NHS GMS"]},
    {"region": "AU", "panel_id": 3, "panel": "Tubulopathies", "confidence": "red",
     "evidence": []},
]  # fmt: skip

DATA: dict[str, dict[str, Any]] = {
    "PKD1": {
        "clinvar": {
            "variants": 1200,
            "germline": {"pathogenic": 512},
            "molecular_consequence": {"missense variant": 400},
            "review_status": {'odd "key", a.b': 1},
            "last_evaluated": "2026-01-15",
        },
        "gnomad": {"is_mane_select": True, "pli": 0.99, "loeuf": 0.25, "gene_flags": None},
        "hgnc": {"alias_symbol": ["PBP", "Pc-1"], "prev_symbol": [], "name": "polycystin 1"},
        "hpo": {"terms": {"HP:0000107": "Renal cyst"}, "organ_terms": {"HP:0000107": "Renal cyst"}},
        "panelapp": {"green": 1, "panels": PANELS},
        "uniprot": {"entries": [{"accession": "P98161", "domains": [{"name": "PKD 1"}]}]},
    },
    "TTN": {
        "clinvar": {"variants": 9, "germline": {"pathogenic": 9}, "last_evaluated": None},
        "gnomad": {"is_mane_select": False, "pli": 0, "loeuf": None, "gene_flags": []},
        "hgnc": {"alias_symbol": [], "prev_symbol": ["CMD1G"], "name": None},
        "hpo": {"terms": {"HP:0001638": "Cardiomyopathy"}, "organ_terms": {}},
        "panelapp": {"green": 0, "panels": []},
    },
    # values of all wrong types: nothing like it is stored, and no query fails because of it
    "WRONG": {
        "clinvar": {"variants": "many", "germline": [1], "molecular_consequence": 3},
        "gnomad": {"is_mane_select": "true", "pli": "0.99", "loeuf": {}, "gene_flags": "flag"},
        "hgnc": {"alias_symbol": "PBP", "prev_symbol": {"a": 1}, "name": 5},
        "hpo": {"terms": ["Renal cyst"], "organ_terms": "HP:0000107"},
        "panelapp": {"green": True, "panels": {"confidence": "green"}},
        "uniprot": {"entries": [1, None, "x", {"domains": {"name": "PKD 1"}}]},
    },
}
"""What is found. ABSENT and UNKNOWN have these answers of ClinVar, and NEW has none."""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = create_engine(psycopg_url(database_url))
    with engine.connect() as connection:
        fill(connection)
        yield connection
    engine.dispose()


def fill(connection: Connection) -> None:
    names = [*DATA, "ABSENT", "UNKNOWN", "NEW"]
    rows = [{"hgnc_id": f"HGNC:{n}", "symbol": name} for n, name in enumerate(names)]
    connection.execute(insert(genes), rows)
    ids = {row.symbol: row.id for row in connection.execute(select(genes.c.id, genes.c.symbol))}
    found = [
        answer(ids[name], source, "found", data)
        for name, answers in DATA.items()
        for source, data in answers.items()
    ]
    others = [answer(ids[state.upper()], "clinvar", state, None) for state in ("absent", "unknown")]
    connection.execute(insert(annotations), [*found, *others])


def answer(gene_id: int, source: str, state: str, data: Any) -> dict[str, Any]:
    return {
        "gene_id": gene_id,
        "source": source,
        "state": state,
        "checked_state": state,
        "data": data,
        "release": None if state == "unknown" else "2026-03-28 (Weekly)",
        "fetched_at": None if state == "unknown" else FETCHED,
    }


def matching(connection: Connection, *conditions: str, moment: Moment = NOW) -> list[str]:
    wanted = satisfied(parse_conditions(conditions, KNOWN), moment, genes.c.id)
    query = select(genes.c.symbol).where(wanted).order_by(genes.c.id)
    return list((connection.execute(query)).scalars())


CASES = [
    ("clinvar.germline.pathogenic>=10", "PKD1"),
    ("clinvar.germline.pathogenic<10", "TTN"),
    ("clinvar.variants=1200", "PKD1"),
    ("clinvar.variants != 1200", "TTN WRONG"),
    ("clinvar.variants?", "PKD1 TTN WRONG"),
    ("clinvar.last_evaluated>=2026-01-15", "PKD1"),
    ("clinvar.last_evaluated>2026-01-15", ""),
    ("clinvar.last_evaluated!=2020-01-01", "PKD1"),
    ("clinvar.last_evaluated?", "PKD1"),
    ('clinvar.molecular_consequence."missense variant">100', "PKD1"),
    ("clinvar.molecular_consequence.missense variant>100", "PKD1"),
    ('clinvar.review_status."odd ""key"", a.b"=1', "PKD1"),
    ("clinvar.molecular_consequence.nonsense<5", ""),
    ("gnomad.pli>0.9", "PKD1"),
    ("gnomad.pli<=1e-3", "TTN"),
    ("gnomad.pli?", "PKD1 TTN WRONG"),
    ("gnomad.loeuf!=3", "PKD1 WRONG"),
    ("gnomad.is_mane_select=true", "PKD1"),
    ("gnomad.is_mane_select != TRUE", "TTN WRONG"),
    ("gnomad.gene_flags!=low_exome_coverage", "TTN WRONG"),
    ("hgnc.alias_symbol=PBP", "PKD1"),
    ("hgnc.alias_symbol=pbp", ""),
    ("hgnc.alias_symbol~pc-", "PKD1"),
    ("hgnc.alias_symbol!=PBP", "TTN WRONG"),
    ("hgnc.prev_symbol?", "TTN WRONG"),
    ("hgnc.name=polycystin 1", "PKD1"),
    ('hgnc.name = "polycystin 1"', "PKD1"),
    ("hgnc.name~CYST", "PKD1"),
    ('hgnc.name!=""', "PKD1 WRONG"),
    ("hpo.terms~renal", "PKD1"),
    ("hpo.terms=Cardiomyopathy", "TTN"),
    ("hpo.organ_terms.HP:0000107?", "PKD1"),
    ("hpo.organ_terms?", "PKD1 WRONG"),
    ("panelapp.panels.confidence=green", "PKD1"),
    ("panelapp.panels.confidence!=green", "TTN WRONG"),
    ("panelapp.panels.panel_id<100", "PKD1"),
    ("panelapp.panels.evidence~nhs", "PKD1"),
    ("panelapp.panels.panel~KIDNEY", "PKD1"),
    ("panelapp.panels?", "PKD1 WRONG"),
    ("uniprot.entries.domains.name~pkd", "PKD1"),
    ("clinvar.state=found", "PKD1 TTN WRONG"),
    ("clinvar.state=absent", "ABSENT"),
    ("clinvar.state=unknown", "UNKNOWN"),
    ("clinvar.state!=found", "ABSENT UNKNOWN"),
    ("clinvar.release~weekly", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.release=2026-03-28 (Weekly)", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.release!=2026-03-28", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.release?", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.fetched_at=2026-03-31", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.fetched_at>2026-03-31", ""),
    ("clinvar.fetched_at>=2026-03-31", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.fetched_at<=2026-03-31T17:59:59Z", ""),
    ("clinvar.fetched_at<2026-03-31T20:00:01+02:00", "PKD1 TTN WRONG ABSENT"),
    ("clinvar.fetched_at!=2026-03-31", ""),
    ("clinvar.fetched_at?", "PKD1 TTN WRONG ABSENT"),
]


def test_genes_satisfy_a_condition_or_not(connection: Connection) -> None:
    for condition, expected in CASES:
        assert matching(connection, condition) == expected.split(), condition


def test_the_examples_of_the_documentation_are_conditions(connection: Connection) -> None:
    page = (REPOSITORY / "docs/reference/conditions.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\| `(\w+\..+)` \|", page.partition("## Examples")[2], re.MULTILINE)
    assert len(examples) > 10
    selected = {gene for example in examples for gene in matching(connection, example)}
    assert selected >= {"PKD1", "ABSENT"}


def test_all_conditions_are_to_be_satisfied(connection: Connection) -> None:
    assert matching(connection) == [*DATA, "ABSENT", "UNKNOWN", "NEW"]
    both = "clinvar.variants>5", "clinvar.variants<100"
    assert matching(connection, *both) == ["TTN"]
    assert matching(connection, *both, "gnomad.pli=0") == ["TTN"]
    assert matching(connection, *both, "gnomad.pli>0") == []


def test_two_conditions_on_a_list_may_be_satisfied_by_different_elements(
    connection: Connection,
) -> None:
    conditions = "panelapp.panels.region=AU", "panelapp.panels.confidence=green"
    assert matching(connection, *conditions) == ["PKD1"]


def test_a_condition_on_the_past_is_about_the_answers_of_then(connection: Connection) -> None:
    before = Moment(datetime(2026, 1, 1, tzinfo=UTC))
    assert matching(connection, "clinvar.variants>5", moment=before) == []


NAMES = [name for fields in KNOWN.values() for name in fields] + [
    f"{source}.{pseudo}" for source in KNOWN for pseudo in ("state", "release", "fetched_at")
]

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.sampled_from([
        "'; DROP TABLE genes; --", "\0", "\ud800", "nan", "inf", "-Infinity", "1e999999", "9" * 400,
        "1e999", "-0", "{}", "[]", "null", "%s", ":name", "%(a)s", '"', '""', "\\", "\\u0000", "*",
        "0001-01-01", "9999-12-31", "0000-00-00", "9999-12-31T23:59:59.999999-23:59",
        "true", "found", "10", "0.5", "e\u0301", "\U0001f600", "١٢",
    ]),
    st.floats().map(str),
    st.integers().map(str),
    st.dates().map(str),
)  # fmt: skip

CONDITIONS = st.one_of(
    st.text(max_size=50),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(NAMES),
        st.one_of(
            st.just(""), HOSTILE.map(lambda key: "." + key), HOSTILE.map(lambda key: f'."{key}"')
        ),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~", "?", "==", "=~", ""]),
        HOSTILE,
    ),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(condition=CONDITIONS)
def test_hostile_conditions_are_refused_or_asked_as_they_are(
    connection: Connection, condition: str
) -> None:
    with contextlib.suppress(WrongUse):
        assert set(matching(connection, condition)) <= {*DATA, "ABSENT", "UNKNOWN"}
