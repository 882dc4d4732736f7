"""Runs of all sources omit those in `DISABLED_SOURCES`."""

import pytest
from pydantic import ValidationError

from app.annotation.settings import Settings
from app.annotation.sources import SOURCES


def enabled(value: str) -> list[str]:
    return Settings(_env_file=None, disabled_sources=value).enabled_sources  # type: ignore[call-arg]


def test_sources_disabled_by_default_are_omitted() -> None:
    off = {name for name, source in SOURCES.items() if source.info.off_by_default}
    found = Settings(_env_file=None).enabled_sources  # type: ignore[call-arg]
    assert found == [name for name in SOURCES if name not in off]


def test_the_setting_replaces_the_default_and_keeps_the_order() -> None:
    assert enabled("none") == list(SOURCES)
    assert enabled(" clinvar, hgnc,") == [n for n in SOURCES if n not in {"clinvar", "hgnc"}]


@pytest.mark.parametrize("value", ["clinvra", "hgnc clinvar", ",".join(SOURCES)])
def test_an_unknown_source_or_an_empty_selection_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="separated by commas"):
        enabled(value)
