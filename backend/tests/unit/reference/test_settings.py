from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.annotation.settings import Settings
from app.core.errors import UserError
from app.core.process.checkout import ROOT
from app.core.text.field_docs import describe_fields
from reference import settings


class Odd(BaseSettings):
    """Settings of kinds that the project does not have yet."""

    model_config = SettingsConfigDict(json_schema_extra=describe_fields)

    password: SecretStr = Field(SecretStr("hunter2"), json_schema_extra={"section": "First"})
    """Of something."""
    address: SecretStr = SecretStr("redis://u:hunter2@host/0")
    """Of a server
    that wants it."""
    ratio: float = Field(0.5, ge=0)
    """A part."""
    word: str = Field("x", pattern="^x+$", json_schema_extra={"section": "Second: and last"})
    """A word."""
    few: int = Field(1, le=9)
    """Not many."""


def row(text: str, variable: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if line.startswith(f"| `{variable}` |"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_every_setting_has_a_row() -> None:
    text = settings.text()
    for name in Settings.model_fields:
        assert len(row(text, name.upper())) == 5


def test_a_row_describes_the_allowed_values() -> None:
    text = settings.text()
    for variable, value, default in (
        ("ARQ_MAX_JOBS", "whole number, 1 to 100", "`3`"),
        ("RUN_BACKOFF_BASE", "number, more than 0, at most 86,400", "`30.0`"),
        ("CLINVAR_BULK_THRESHOLD", "whole number, 0 or more", "`500`"),
        ("USE_ARQ_WORKER", "`True` or `False`", "`False`"),
        ("LOG_LEVEL", "one of `DEBUG`, `INFO`, `WARNING`, `ERROR`", "`INFO`"),
        ("ARQ_QUEUE_NAME", "text, 1 to 200 characters", "`kidney_genetics_tasks`"),
        ("ADMIN_TOKEN", "text, 8 or more characters, secret", "none"),
        ("NCBI_EMAIL", "e-mail address", "none"),
        ("REDIS_URL", "text, secret", "`redis://localhost:6379/0`"),
        ("CACHE_DIR", "path", "`.run/cache`"),
    ):
        assert row(text, variable)[1:3] == [value, default]


def test_the_guide_shows_the_settings_that_a_usual_installation_changes() -> None:
    for name in ("DATABASE_URL", "ARQ_MAX_JOBS", "ADMIN_TOKEN", "NCBI_EMAIL", "DISABLED_SOURCES"):
        assert row(settings.guide(), name) == row(settings.text(), name)
    assert "HGNC_FILES_URL" not in settings.guide()


def test_the_text_contains_nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    before = settings.text()
    monkeypatch.setenv("ARQ_MAX_JOBS", "17")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@db/x")
    assert settings.text() == before
    assert str(ROOT) not in before
    assert str(Path.home()) not in before


def test_a_secret_default_is_not_shown() -> None:
    first, _ = settings.sections(Odd).values()
    assert [each.default for each in first] == ["", "", "0.5"]


@pytest.mark.parametrize(
    "secret", ["redis://host/0?password=hunter2", "tok:hunter2", "redis://:hunter2@host"]
)
def test_an_address_is_shown_only_where_nothing_in_it_can_be_a_password(secret: str) -> None:
    class Hidden(BaseSettings):
        address: SecretStr = Field(
            SecretStr(secret), description="Secret.", json_schema_extra={"section": "Only"}
        )

    ((only,),) = settings.sections(Hidden).values()
    assert only.default == ""


def test_a_limit_without_a_description_is_an_error() -> None:
    class Bounded(BaseSettings):
        few: int = Field(3, ge=1, lt=101, description="Few.", json_schema_extra={"section": "Only"})

    with pytest.raises(UserError, match="exclusiveMaximum"):
        settings.sections(Bounded)


def test_settings_are_grouped_under_their_headings() -> None:
    found = settings.sections(Odd)
    assert {heading: [each.field for each in of] for heading, of in found.items()} == {
        "First": ["password", "address", "ratio"],
        "Second: and last": ["word", "few"],
    }
    said = [(each.value, each.meaning) for of in found.values() for each in of]
    assert said == [
        ("text, secret", "Of something."),
        ("text, secret", "Of a server that wants it."),
        ("number, 0 or more", "A part."),
        ("text that matches `^x+$`", "A word."),
        ("whole number, at most 9", "Not many."),
    ]
