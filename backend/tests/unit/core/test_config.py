import os
import string
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.annotation.settings import Settings, load_settings
from app.core import config
from app.core.errors import WrongUse
from app.core.process import env_file as env_files
from app.core.process.configured_secrets import configured_secrets, of_variable
from app.core.process.redaction import hide


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_without_any_setting_the_documented_defaults_hold() -> None:
    settings = Settings(_env_file=None)
    assert settings.redis_url.get_secret_value() == "redis://localhost:6379/0"
    assert settings.use_arq_worker is False
    assert settings.arq_queue_name == "kidney_genetics_tasks"
    assert (settings.arq_max_jobs, settings.arq_job_timeout) == (3, 21_600)


def test_the_environment_wins_over_the_file(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("ARQ_MAX_JOBS=4\nARQ_JOB_TIMEOUT=60\n")
    monkeypatch.setenv("ARQ_MAX_JOBS", "5")
    settings = load_settings(env_file)
    assert (settings.arq_max_jobs, settings.arq_job_timeout) == (5, 60)


def test_every_problem_is_listed_at_once_without_secrets(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("ARQ_MAX_JOB=4\nUSE_ARQ_WORKER=perhaps\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("ARQ_MAX_JOBS", "many")
    monkeypatch.setenv("DATABASE_URL", "mysql://root:hunter2@db/x")
    monkeypatch.setenv("ADMIN_TOKEN", "hunter2")
    with pytest.raises(WrongUse) as error:
        load_settings(env_file)
    told = str(error.value)
    assert "ARQ_MAX_JOB: unknown setting" in told
    assert "did you mean ARQ_MAX_JOBS?" in told
    assert 'USE_ARQ_WORKER: found "perhaps"' in told
    assert 'ARQ_MAX_JOBS: found "many"' in told
    assert "DATABASE_URL" in told
    assert "postgresql://user:password@host:5432/name" in told
    assert "ADMIN_TOKEN" in told
    assert "SOMEBODY_ELSES" not in told
    assert "hunter2" not in told
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    "content", [b"garbage line\n", b"ARQ_MAX_JOBS='3\n", b"ADMIN_TOKEN=\xff\n"]
)
def test_the_refusal_of_an_unreadable_file_names_the_file(env_file: Path, content: bytes) -> None:
    env_file.write_bytes(b"ARQ_JOB_TIMEOUT=60\n" + content)
    with pytest.raises(WrongUse) as error:
        load_settings(env_file)
    assert str(env_file) in str(error.value)
    assert error.value.remedy


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    monkeypatch.setenv("ADMIN_TOKEN", "")
    monkeypatch.setenv("NCBI_EMAIL", "")
    settings = load_settings(env_file)
    assert (settings.admin_token, settings.ncbi_email) == (None, None)


def test_every_setting_has_a_description() -> None:
    for name, schema in Settings.model_json_schema()["properties"].items():
        assert schema["description"], name


def test_the_representation_of_the_settings_has_no_secret() -> None:
    settings = Settings(_env_file=None, database_url="postgresql://u:hunter2@db/x")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    "line", ["hunter2hunter2hunter2 and more", "ADMIN_TOKEN: hunter2hunter2", "= hunter2hunter2"]
)
def test_the_content_of_an_unreadable_line_is_not_shown(env_file: Path, line: str) -> None:
    env_file.write_text(f"ARQ_JOB_TIMEOUT=60\n{line}\n")
    with pytest.raises(WrongUse) as error:
        load_settings(env_file)
    assert "line 2: cannot be read" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_an_invalid_address_is_shown_without_its_login(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCBI_EUTILS_URL", "ftp://me:hunter2@mirror.example/eutils")
    with pytest.raises(WrongUse) as error:
        load_settings(env_file)
    assert "mirror.example" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://:AAA/BBB@host:6379/0", "an address without @ after the host"),
        ("redis://:AAA#BBB@host:6379/0", "an address without #; in a password"),
        ("redis://host/zero", "the number of a database"),
        ("redis://host?decode_responses=True", "no decode_responses: arq needs"),
        ("rediss://host?ssl_ca_certs=/not/there", "a readable file as the value of ssl_ca_certs"),
    ],
)
def test_a_redis_address_that_would_be_misread_is_refused_with_the_reason(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(WrongUse) as error:
        load_settings(env_file)
    assert f"REDIS_URL: found a value that is not shown, allowed: {why}" in str(error.value)
    assert "AAA" not in str(error.value)


DELIMITERS = "/?#@:%&=+[]!$ .,;'\"\\"


@given(
    before=st.text(string.ascii_letters + string.digits, min_size=5),
    delimiters=st.text(DELIMITERS, min_size=1, max_size=4),
    after=st.text(string.ascii_letters + string.digits, min_size=5),
    variable=st.sampled_from(
        [
            ("REDIS_URL", "redis://:{}@host:6379/0"),
            ("REDIS_URL", "redis://u:{}@host:6379/zero"),
            ("REDIS_URL", "redis://u:{}@host:port/0"),
            ("REDIS_URL", "redis+sentinel://host/main?sentinel_password={}"),
            ("REDIS_URL", "redis://host?password={}&colour=red"),
            ("DATABASE_URL", "mysql://u:{}@host/db"),
            ("DATABASE_URL", "{}"),
            ("DATABASE_URL", "postgresql://u:{}@host:5432/db"),
            ("DATABASE_URL", "postgresql://u:{}@host:port/db"),
            ("DATABASE_URL", "postgresql://u:{}@host:5432/db?colour=red"),
            ("DATABASE_URL", "postgresql://host/db?password={}"),
            ("DATABASE_URL", "host=h user=u password={} colour=red"),
            ("NCBI_EUTILS_URL", "ftp://u:{}@host/x"),
            ("HGNC_FILES_URL", "https://u:{}@ho st/x"),
        ]
    ),
)
@example("00000", "@/", "000001", ("HGNC_FILES_URL", "https://u:{}@ho st/x"))
@example("00000", '%"', "000001", ("DATABASE_URL", "postgresql://u:{}@host:5432/db"))
def test_no_refusal_shows_a_part_of_a_secret(
    before: str, delimiters: str, after: str, variable: tuple[str, str]
) -> None:
    name, form = variable
    value = form.format(before + delimiters + after)
    # a part of the secret may be a word of the message
    words = _refusal(name, form.format("-"))
    assume(before.lower() not in words and after.lower() not in words)
    told = _refusal(name, value)
    assert before.lower() not in told
    assert after.lower() not in told


def _refusal(name: str, value: str) -> str:
    with mock.patch.dict(os.environ, {name: value}):
        try:
            load_settings(Path("/not/there"))
        except WrongUse as error:
            return hide(str(error), configured_secrets({name: value})).lower()
    return ""


def test_a_tilde_means_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CACHE_DIR", "~/cache of mine")
    assert load_settings(Path("/not/there")).cache_dir == tmp_path / "cache of mine"


@pytest.mark.parametrize("value", ["$HOME/cache", "${HOME}", "~nobody-of-this-name/cache"])
def test_a_path_that_only_a_shell_would_expand_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CACHE_DIR", value)
    with pytest.raises(WrongUse) as error:
        load_settings(Path("/not/there"))
    assert f'CACHE_DIR: found "{value}", allowed: a path' in str(error.value)


@pytest.mark.parametrize(
    "value",
    [
        *("https://host:port/x", "https://host:99999", "http://[::1", "https://:443/x"),
        *("https://host/x?y=1", "https://host/x#y", "https://ho st/x", "https://host/x y"),
    ],
)
def test_an_address_to_which_no_request_can_be_sent_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HGNC_REST_URL", value)
    with pytest.raises(WrongUse) as error:
        load_settings(Path("/not/there"))
    assert f'HGNC_REST_URL: found "{value}", allowed: an address: https://host/' in str(error.value)


@pytest.mark.parametrize(
    "value", ["http://[::1]:8099/hgnc/", "https://me:pw@mirror.example:8443/x"]
)
def test_the_address_of_a_mirror_is_accepted(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HGNC_REST_URL", value)
    assert load_settings(Path("/not/there")).hgnc_rest_url == value.rstrip("/")


def test_the_engine_refuses_a_misspelt_setting_of_a_source_as_well(env_file: Path) -> None:
    env_file.write_text("NCBI_EMAL=me@example.net\nHGNC_REST_URL=https://mirror.example\n")
    with pytest.raises(WrongUse, match=r"NCBI_EMAL: unknown setting .* did you mean NCBI_EMAIL\?"):
        env_files.load_settings(
            config.Settings, env_file, other_settings=lambda: Settings.model_fields
        )


def test_the_sources_settings_are_not_loaded_if_all_names_are_the_engines(
    env_file: Path,
) -> None:
    def unexpected() -> list[str]:
        raise AssertionError

    env_file.write_text("ARQ_MAX_JOBS=4\n")
    assert (
        env_files.load_settings(config.Settings, env_file, other_settings=unexpected).arq_max_jobs
        == 4
    )


def test_every_secret_setting_is_hidden_by_its_name() -> None:
    for name, field in Settings.model_fields.items():
        if env_files.is_secret(field) and not name.endswith("_url"):
            assert of_variable(name, "a-secret-value") == {"a-secret-value"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318?x=1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a-secret-without-a-name"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=, y=a-secret-value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x key=a-secret-value"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file"),
    ],
)
def test_settings_of_traces_that_cannot_be_used_are_refused_without_a_secret(
    tmp_path: Path, name: str, value: str
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"{name}={value}\n")
    with pytest.raises(WrongUse, match=f"{name}: found") as refused:
        load_settings(env_file)
    assert "secret" not in str(refused.value)
