"""What can be said of `compose.yaml` without an engine: none runs on the machines of developers."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import __version__
from app.annotation.settings import Settings
from app.core.workers.engine import ANSWER_TIMEOUT
from app.core.workers.timing import DEFAULT_TIMING
from services.compose import _REQUIRED

REPOSITORY = Path(__file__).resolve().parents[4]
BIN = Path(sys.executable).parent
OF_UVICORN = {"FORWARDED_ALLOW_IPS"}
"""Variables that the web server reads itself."""

SETTINGS = {name.upper() for name in Settings.model_fields}
PROJECTS = ("db", "redis", "migrate", "api", "arq-worker")
OURS = ("migrate", "api", "arq-worker")

TEXT = (REPOSITORY / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ACL = (REPOSITORY / "deploy" / "redis" / "users.acl").read_text()

VARIABLE = re.compile(r"\$\{([A-Z_]+)(:-|:\?)([^}]*)\}")


def environment(service: str, **given: str) -> dict[str, str]:
    """What a container's environment is when `.env` says no more than what is required."""
    known = dict.fromkeys(_REQUIRED, "f00d" * 12) | given

    def put_in(match: re.Match[str]) -> str:
        value = known.get(match[1]) or (match[3] if match[2] == ":-" else None)
        assert value is not None, f"{match[1]} is required"
        return value

    found = SERVICES[service].get("environment", {})
    return {name: VARIABLE.sub(put_in, value) for name, value in found.items()}


@pytest.mark.parametrize("file", ["compose.yaml", "compose.hybrid.yaml"])
def test_it_keeps_to_the_compose_schema(file: str) -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", REPOSITORY / file],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_services_are_those_of_the_guide() -> None:
    assert tuple(SERVICES) == PROJECTS
    assert not any("container_name" in service for service in SERVICES.values())


@pytest.mark.parametrize("name", PROJECTS)
def test_a_service_is_pinned_bounded_and_contained(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":\d+\.\d+(\.\d+)?(-[a-z]+)?$", service["image"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert "/tmp" in service["tmpfs"]
    assert service["logging"]["options"]["max-size"]
    assert service["stop_grace_period"]


def test_only_the_api_is_published_and_only_on_the_loopback_address() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"api": ["127.0.0.1:8000:8000"]}
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    assert [name for name in PROJECTS if "outside" in SERVICES[name]["networks"]] == [
        "api",
        "arq-worker",
    ]


def test_everything_starts_when_what_it_needs_is_healthy_or_done() -> None:
    for name in set(PROJECTS) - {"migrate"}:
        assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in ("api", "arq-worker"):
        assert {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()} == {
            "db": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }


def test_a_worker_has_longer_to_stop_than_it_takes() -> None:
    for name in ("api", "arq-worker"):
        grace = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert grace > DEFAULT_TIMING.stop + 2 * ANSWER_TIMEOUT


def test_what_it_asks_for_is_a_setting_or_a_password_and_it_says_what_to_set() -> None:
    found = VARIABLE.findall(TEXT)
    assert len(found) == TEXT.count("${")
    assert {name for name, _, _ in found} <= SETTINGS | OF_UVICORN | set(_REQUIRED)
    assert {name for name, how, _ in found if how == ":?"} == set(_REQUIRED)
    assert all("set it in .env" in text for _, how, text in found if how == ":?")


def test_every_setting_reaches_the_containers_and_nothing_else_does() -> None:
    reached = {name for service in OURS for name in SERVICES[service]["environment"]}
    assert reached == SETTINGS | OF_UVICORN
    # what a container does not need is kept from it
    assert not OF_UVICORN & SERVICES["arq-worker"]["environment"].keys()
    assert "ADMIN_TOKEN" not in SERVICES["arq-worker"]["environment"]
    assert "NCBI_API_KEY" not in SERVICES["api"]["environment"]


@pytest.mark.parametrize("service", OURS)
def test_the_settings_take_what_a_container_is_given(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(service, ARQ_MAX_JOBS="5").items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.use_arq_worker
    assert settings.arq_max_jobs == 5
    assert settings.run_max_failures == Settings.model_fields["run_max_failures"].default
    assert settings.database_url.get_secret_value().endswith("@db:5432/kidney_genetics")


@pytest.mark.parametrize(
    ("service", "user"), [("api", "kidney-api"), ("arq-worker", "kidney-worker")]
)
def test_redis_knows_the_users_and_the_queue(service: str, user: str) -> None:
    env = environment(service)
    assert env["REDIS_URL"].startswith(f"redis://{user}:f00d")
    rights = next(line for line in ACL.splitlines() if line.startswith(f"user {user} "))
    assert f"~{env['ARQ_QUEUE_NAME']} " in rights
    assert env["ARQ_QUEUE_NAME"] == Settings.model_fields["arq_queue_name"].default


def test_the_image_carries_the_version() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {f"kidney-genetics:{__version__}"}


def test_hybrid_publishes_the_two_servers_on_the_loopback_address_only() -> None:
    hybrid = yaml.safe_load((REPOSITORY / "compose.hybrid.yaml").read_text())
    assert hybrid["name"] != COMPOSE["name"]
    assert {name: service["ports"] for name, service in hybrid["services"].items()} == {
        "db": ["127.0.0.1:5432:5432"],
        "redis": ["127.0.0.1:6379:6379"],
    }
