import re

import yaml

from app.annotation.settings import Settings
from reference import compose
from tests.conftest import REPOSITORY

FILE = REPOSITORY / "compose.yaml"


def test_variables_that_compose_requires_are_shown_with_their_values() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", FILE.read_text()))
    assert "POSTGRES_PASSWORD" in required
    for name in required:
        assert f"| `{name}` | the output of `openssl rand -hex 24` |" in compose.text()


def test_compose_sets_the_named_variables_itself_and_passes_the_others_on() -> None:
    services = yaml.safe_load(FILE.read_text())["services"]
    said = compose.text().partition("itself sets")[2].partition(":")[0]
    itself = set(re.findall(r"`(\w+)`", said))
    assert {"DATABASE_URL", "REDIS_URL", "USE_ARQ_WORKER"} <= itself
    handed = {
        name
        for service in ("api", "arq-worker")
        for name, value in services[service]["environment"].items()
        if value.startswith(f"${{{name}:")
    }
    of_uvicorn = {"FORWARDED_ALLOW_IPS"}
    assert itself | handed == {name.upper() for name in Settings.model_fields} | of_uvicorn
    assert not itself & handed
