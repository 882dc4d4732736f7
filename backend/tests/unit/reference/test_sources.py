import pytest

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES
from app.annotation.sources.base import ApiSource
from reference import sources


def rows(text: str) -> list[list[str]]:
    lines = text.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_source_has_its_licence() -> None:
    for (name, info), row in zip(
        ((name, source.info) for name, source in SOURCES.items()),
        rows(sources.sources()),
        strict=True,
    ):
        assert row[0] == f"{info.title}: `{name}`"
        assert f"({info.licence_url})" in row[2]


def test_the_table_shows_how_each_source_is_asked_and_how_long_its_answers_stay_fresh() -> None:
    said = [row[2:4] for row in rows(sources.refreshing())]
    assert said == [
        [
            str(source.info.concurrency) if issubclass(source, ApiSource) else "none",
            f"{source.info.freshness.days} days",
        ]
        for source in SOURCES.values()
    ]


def test_the_table_shows_the_bulk_threshold_and_its_setting() -> None:
    shown = dict(zip(SOURCES, (row[4] for row in rows(sources.refreshing())), strict=True))
    assert shown["hgnc"] == "if more than 50 genes are due (`HGNC_BULK_THRESHOLD`)"
    assert shown["ensembl"] == "never: there is none"
    assert "500 genes" in shown["clinvar"]


def test_every_host_has_the_setting_of_its_address_and_its_rates() -> None:
    found = {row[2]: row for row in rows(sources.hosts())}
    declared = {host.setting for source in SOURCES.values() for host in source.info.hosts}
    assert found.keys() == {f"`{setting.upper()}`" for setting in declared}
    assert found["`NCBI_EUTILS_URL`"] == [
        "ClinVar",
        "`https://eutils.ncbi.nlm.nih.gov/entrez/eutils`",
        "`NCBI_EUTILS_URL`",
        "3; 10 with `NCBI_API_KEY`",
        "`NCBI_RATE`",
        "8",
    ]
    assert found["`HGNC_FILES_URL`"][3:5] == ["1", "the same"]


def test_the_settings_of_the_user_have_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sources.sources(), sources.hosts()
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "17")
    assert (sources.sources(), sources.hosts()) == before
