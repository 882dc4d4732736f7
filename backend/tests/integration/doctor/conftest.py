from pathlib import Path

import pytest

from app.annotation.settings import Settings
from app.core.process import loop_watch
from tests.patient import Patient


@pytest.fixture(autouse=True)
def _on_time_whatever_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the doctor report a silent service even on a busy machine.

    It would say instead that it cannot tell, which the tests of its framework show in virtual time.
    """
    monkeypatch.setattr(loop_watch, "MAX_LOST_SHARE", float("inf"))


@pytest.fixture
def patient(tmp_path: Path, settings: Settings, redis_url: str) -> Patient:
    """An install on a real PostgreSQL and Redis, whose runs are executed by arq workers."""
    env = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": redis_url,
        "USE_ARQ_WORKER": "True",
        "ADMIN_TOKEN": "a-token-of-the-tests",
        "CACHE_DIR": str(tmp_path / "cache"),
    }
    given = Settings(_env_file=None, **{k.lower(): v for k, v in env.items()})  # type: ignore[arg-type]
    return Patient(tmp_path, env, {"settings": given})
