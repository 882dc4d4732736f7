import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from services.compose import Compose

DOCKER = """\
#!/bin/sh
case "$*" in
    "compose config"*) cat <<END
{"services": {"db": {"environment": {
    "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "$POSTGRES_PASSWORD"}},
  "migrate": {"environment": {"DATABASE_URL": "postgresql://kidney:$POSTGRES_PASSWORD@db:5432/genes"}},
  "redis": {"environment": {"REDIS_WORKER_PASSWORD": "$REDIS_WORKER_PASSWORD"}}}}
END
    ;;
    "compose port redis 6379") echo 127.0.0.1:6379 ;;
    "compose port db 5432") echo 127.0.0.1:5432 ;;
    *) echo "$ADMIN_TOKEN $COMPOSE_FILE" ;;
esac
"""


@pytest.fixture
def compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compose:
    """Compose with a fake docker that prints its arguments."""
    for name in ("POSTGRES_PASSWORD", "REDIS_API_PASSWORD", "REDIS_WORKER_PASSWORD", "ADMIN_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    return Compose(tmp_path, str(docker))


def test_missing_passwords_are_generated_once_and_kept(compose: Compose) -> None:
    (compose.root / ".env").write_text("POSTGRES_PASSWORD=mine\n")
    file = compose.root / ".run" / "compose.env"
    file.parent.mkdir()
    file.touch(0o644)
    first = compose.url("redis")
    kept = dotenv_values(file)
    assert kept.keys() == {"REDIS_API_PASSWORD", "REDIS_WORKER_PASSWORD", "ADMIN_TOKEN"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first == f"redis://kidney-worker:{kept['REDIS_WORKER_PASSWORD']}@127.0.0.1:6379/0"
    assert compose.url("redis") == first


def test_the_address_has_the_role_and_the_password_of_the_project(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", "p%2Fw")
    assert compose.url("db") == "postgresql://kidney:p%2Fw@127.0.0.1:5432/genes"


def test_only_the_hybrid_file_publishes_the_ports(compose: Compose) -> None:
    assert "compose.yaml:compose.hybrid.yaml" in compose.running()
