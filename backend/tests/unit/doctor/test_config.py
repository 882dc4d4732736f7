import pytest

from app.annotation.settings import Settings, load_settings
from app.core.checks import Status
from app.doctor.registry import CHECKS
from tests.patient import REPOSITORY, Patient


@pytest.fixture
def env_file(patient: Patient):
    """An `.env` as it should be, beside the example."""
    (patient.root / ".env.example").write_bytes((REPOSITORY / ".env.example").read_bytes())
    file = patient.root / ".env"
    file.touch(0o600)
    file.write_text("DATABASE_URL=postgresql://kidney:x7Kq2mPz@db/genes\nARQ_MAX_JOBS=4\n")
    return file


async def test_a_correct_file_passes_every_check(env_file, patient: Patient) -> None:
    found = await patient.all(*(each.id for each in CHECKS if each.group == "config"))
    assert {name: each.status for name, each in found.items()} == dict.fromkeys(found, Status.ok)


async def test_a_missing_file_is_created_by_the_command(env_file, patient: Patient) -> None:
    env_file.unlink()
    result = await patient.see("config.env-file")
    assert result.status is Status.warning
    patient.follow(result)
    assert (await patient.see("config.env-file")).status is Status.ok
    assert (await patient.see("config.mode")).status is Status.ok
    load_settings(env_file)


async def test_fix_creates_a_missing_file_and_replaces_none(env_file, patient: Patient) -> None:
    env_file.unlink()
    result = await patient.see("config.env-file")
    assert await patient.fix(result) == [
        "repaired config.env-file: created .env from .env.example, with mode 600"
    ]
    assert env_file.stat().st_mode & 0o777 == 0o600
    env_file.write_text("ARQ_MAX_JOBS=5\n")
    assert await patient.fix(result) == []
    assert env_file.read_text() == "ARQ_MAX_JOBS=5\n"


async def test_the_environment_is_enough(env_file, patient: Patient) -> None:
    env_file.unlink()
    patient.env["DATABASE_URL"] = "postgresql://db/genes"
    assert (await patient.see("config.env-file")).status is Status.ok


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o622])
async def test_a_file_that_others_can_read_or_change_is_protected_by_the_command(
    env_file, patient: Patient, mode: int
) -> None:
    env_file.chmod(mode)
    result = await patient.see("config.mode")
    assert result.status is Status.failed
    assert result.finding.found == f"mode {mode:o}"
    patient.follow(result)
    assert (await patient.see("config.mode")).status is Status.ok
    env_file.chmod(mode)
    assert await patient.fix(result) == ["repaired config.mode: set the mode of .env to 600"]
    assert (await patient.see("config.mode")).status is Status.ok


async def test_all_settings_that_cannot_be_used_are_named_without_secrets(
    env_file, patient: Patient
) -> None:
    env_file.write_text(
        "# mine\n\nUSE_ARQ_WORKER=perhaps\n\ngarbage line\narq_quene_name=q\n"
        "DATABASE_URL=mysql://root:hunter22@db/x\n"
    )
    result = await patient.see("config.valid")
    assert result.status is Status.failed
    assert "USE_ARQ_WORKER: found" in result.finding.found
    assert "allowed: True or False" in result.finding.found
    assert "did you mean ARQ_QUEUE_NAME?" in result.finding.found
    assert "cannot be read" in result.finding.found
    assert "hunter22" not in str(result.finding)
    patient.env["EDITOR"] = "sed -i d"
    patient.follow(result)
    assert (await patient.see("config.valid")).status is Status.ok


async def test_a_variable_that_cannot_be_used_is_unset(
    env_file, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARQ_MAX_JOBS", "many")
    result = await patient.see("config.valid")
    assert result.status is Status.failed
    told = patient.shell(f"{result.remedy}; env")
    assert "ARQ_MAX_JOBS" not in told
    monkeypatch.delenv("ARQ_MAX_JOBS")
    assert (await patient.see("config.valid")).status is Status.ok


async def test_settings_that_cannot_be_used_skip_the_checks_that_need_them(
    env_file, patient: Patient
) -> None:
    env_file.write_text("ARQ_MAX_JOBS=many\n")
    result = await patient.see("config.placeholders")
    assert result.finding.summary == "needs config.valid, which failed"


@pytest.mark.parametrize(
    "line",
    [
        "ADMIN_TOKEN=changeme",
        "ADMIN_TOKEN=your-secret-token",
        "ADMIN_TOKEN=<the token>",
        "ADMIN_TOKEN=aaaaaaaaaaaaaaaaaaaa",
        "ADMIN_TOKEN=short7Kq2m",
        "READ_TOKEN=changeme",
        "READ_TOKEN=short7Kq2m",
        "NCBI_API_KEY=your_api_key_here",
        "DATABASE_URL=postgresql://kidney:changeme@db/genes",
        "REDIS_URL=redis://:secr%65t@r:6379/0",
    ],
)
async def test_a_placeholder_is_reported_and_not_shown(
    env_file, patient: Patient, line: str
) -> None:
    assert (await patient.see("config.placeholders")).status is Status.ok
    with env_file.open("a") as file:
        file.write(line + "\n")
    result = await patient.see("config.placeholders")
    name, _, value = line.partition("=")
    assert result.status is Status.failed
    assert result.finding.found.startswith(f"{name}: ")
    assert value not in str(result.finding)


@pytest.mark.parametrize(
    "line",
    [
        "ADMIN_TOKEN=pa$word7Kq2mPzLw",
        'ADMIN_TOKEN="pa$word7Kq2mPzLw"',
        "ADMIN_TOKEN=pa#word7Kq2mPzLw",
        "ADMIN_TOKEN=x7Kq2mPz8vWn3Lr5 # the admin",
        "ADMIN_TOKEN='x7Kq2mPz8vWn3Lr5' # the admin",
        r"ADMIN_TOKEN=pa\word7Kq2mPzLw",
        "export ADMIN_TOKEN=x7Kq2mPz8vWn3Lr5",
    ],
)
async def test_a_value_that_systemd_or_compose_may_read_differently_is_reported(
    env_file, patient: Patient, line: str
) -> None:
    env_file.write_text(f"# first\n\n\n{line}\nARQ_MAX_JOBS=4\n")
    result = await patient.see("config.read-alike")
    assert result.status is Status.warning
    assert result.finding.summary == "systemd or Compose may read other values: ADMIN_TOKEN"
    assert "7Kq2mPz" not in str(result.finding)


@pytest.mark.parametrize(
    "value", ["x7Kq2mPz", "two words", "'pa$w#rd'", '"two words"', "", "pa%24word", "a=b"]
)
async def test_a_value_that_all_readers_interpret_alike_passes(
    env_file, patient: Patient, value: str
) -> None:
    env_file.write_text(f"# first\n\nADMIN_TOKEN = {value} \n")
    assert (await patient.see("config.read-alike")).status is Status.ok


async def test_a_variable_that_overrides_the_file_is_unset(env_file, patient: Patient) -> None:
    patient.env |= {"ARQ_MAX_JOBS": "5", "SOMEBODY_ELSES": "1"}
    result = await patient.see("config.shadowed")
    assert result.status is Status.warning
    assert result.finding.summary == "the environment overrides .env: ARQ_MAX_JOBS"
    assert "ARQ_MAX_JOBS" not in patient.shell(f"{result.remedy}; env")
    del patient.env["ARQ_MAX_JOBS"]
    assert (await patient.see("config.shadowed")).status is Status.ok
    patient.env["ARQ_MAX_JOBS"] = "4"
    assert (await patient.see("config.shadowed")).status is Status.ok


async def test_a_file_that_belongs_to_another_user_is_reported(
    env_file, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Settings:
        raise PermissionError(13, "Permission denied")

    # root, as whom tests may run, can read everything
    monkeypatch.setattr("app.annotation.settings.load_settings", refuse)
    result = await patient.see("config.valid")
    assert result.status is Status.failed
    assert "cannot be read: Permission denied" in result.finding.summary


async def test_a_proxy_that_cannot_be_used_is_named(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert (await patient.see("config.network")).status is Status.ok
    monkeypatch.setenv("HTTPS_PROXY", "socks5://proxy.example:1080")
    seen = await patient.see("config.network")
    assert seen.finding.found == "the proxy in HTTPS_PROXY cannot be used: its scheme is socks5"
    assert "HTTPS_PROXY" in seen.remedy
    assert (await patient.see("upstream.ncbi")).status is Status.skipped


async def test_a_directory_for_bulk_files_that_cannot_be_created_is_named(
    env_file, patient: Patient
) -> None:
    with env_file.open("a") as file:
        file.write(f"CACHE_DIR={env_file}/cache\n")
    seen = await patient.see("config.cache-dir")
    assert seen.status is Status.failed
    assert seen.finding.found == f"{env_file} is not a directory"
