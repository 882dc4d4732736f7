from pathlib import Path

import pytest

from app.core.config import Settings, load_settings
from app.core.errors import WrongUse


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_the_guides_defaults_hold_without_any_setting() -> None:
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


def test_every_problem_is_told_at_once_and_no_secret(
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
def test_a_file_that_cannot_be_read_is_refused_by_name(env_file: Path, content: bytes) -> None:
    env_file.write_bytes(b"ARQ_JOB_TIMEOUT=60\n" + content)
    with pytest.raises(WrongUse) as error:
        load_settings(env_file)
    assert str(env_file) in str(error.value)
    assert error.value.remedy


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch, env_file: Path) -> None:
    monkeypatch.setenv("ADMIN_TOKEN", "")
    monkeypatch.setenv("NCBI_EMAIL", "")
    settings = load_settings(env_file)
    assert (settings.admin_token, settings.ncbi_email) == (None, None)


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_no_secret_is_in_the_settings_own_text() -> None:
    settings = Settings(_env_file=None, database_url="postgresql://u:hunter2@db/x")
    assert "hunter2" not in repr(settings)
