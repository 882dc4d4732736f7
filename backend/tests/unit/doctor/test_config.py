import pytest

from app.annotation.settings import Settings, load_settings
from app.doctor.check import Status
from app.doctor.checks.config.env_lines import compose_reads, systemd_reads
from app.doctor.registry import CHECKS
from tests.checkout import copy_checkout
from tests.patient import REPOSITORY, Patient


@pytest.fixture
def env_file(patient: Patient):
    """An `.env` as it should be, beside the example."""
    (patient.root / ".env.example").write_bytes((REPOSITORY / ".env.example").read_bytes())
    file = patient.root / ".env"
    file.touch(0o600)
    file.write_text("DATABASE_URL=postgresql://kidney:x7Kq2mPz@db/genes\nARQ_MAX_JOBS=4\n")
    return file


async def test_a_sound_file_passes_every_check(env_file, patient: Patient) -> None:
    found = await patient.all(*(each.id for each in CHECKS if each.group == "config"))
    assert {name: each.status for name, each in found.items()} == dict.fromkeys(found, Status.ok)


async def test_a_missing_file_is_made_by_the_command(env_file, patient: Patient) -> None:
    env_file.unlink()
    result = await patient.see("config.env-file")
    assert result.status is Status.warning
    patient.follow(result)
    assert (await patient.see("config.env-file")).status is Status.ok
    assert (await patient.see("config.mode")).status is Status.ok
    load_settings(env_file)


async def test_a_missing_file_is_made_by_fix_and_none_is_replaced(
    env_file, patient: Patient
) -> None:
    env_file.unlink()
    result = await patient.see("config.env-file")
    assert await patient.fix(result) == [
        "mended config.env-file: created .env from .env.example, mode 600"
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
async def test_a_file_that_others_can_use_is_closed_by_the_command(
    env_file, patient: Patient, mode: int
) -> None:
    env_file.chmod(mode)
    result = await patient.see("config.mode")
    assert result.status is Status.failed
    assert result.finding.found == f"mode {mode:o}"
    patient.follow(result)
    assert (await patient.see("config.mode")).status is Status.ok
    env_file.chmod(mode)
    assert await patient.fix(result) == ["mended config.mode: set the mode of .env to 600"]
    assert (await patient.see("config.mode")).status is Status.ok


async def test_a_misspelt_key_is_named_with_what_was_meant(env_file, patient: Patient) -> None:
    with env_file.open("a") as file:
        file.write("\nexport ARQ_JOB_TIMEOUTS=60\narq_quene_name=q\n")
    result = await patient.see("config.keys")
    assert result.status is Status.failed
    assert "did you mean ARQ_JOB_TIMEOUT?" in result.finding.required
    assert (await patient.see("config.valid")).status is Status.failed
    patient.follow(result)
    assert (await patient.see("config.keys")).status is Status.ok
    settings = load_settings(env_file)
    assert (settings.arq_job_timeout, settings.arq_queue_name) == (60, "q")


async def test_keys_of_others_are_warned_of_but_for_those_of_compose(
    env_file, patient: Patient
) -> None:
    (patient.root / "compose.yaml").write_text("x: ${POSTGRES_PASSWORD:?set it}\n")
    with env_file.open("a") as file:
        file.write("POSTGRES_PASSWORD=x7Kq2mPz\nSOMEBODY_ELSES=1\n")
    result = await patient.see("config.keys")
    assert result.status is Status.warning
    assert result.finding.found == "SOMEBODY_ELSES"
    patient.follow(result)
    assert (await patient.see("config.keys")).status is Status.ok
    assert "POSTGRES_PASSWORD" in env_file.read_text()


async def test_values_that_cannot_be_used_go_back_to_their_defaults(
    env_file, patient: Patient
) -> None:
    env_file.write_text(
        "# mine\n\nUSE_ARQ_WORKER=perhaps\n\ngarbage line\nARQ_MAX_JOBS = many\n"
        "DATABASE_URL=mysql://root:hunter22@db/x\nARQ_JOB_TIMEOUT=60\n"
    )
    result = await patient.see("config.valid")
    assert result.status is Status.failed
    assert "USE_ARQ_WORKER: True or False" in result.finding.required
    assert 'ARQ_MAX_JOBS: found "many"' in result.finding.found
    assert "hunter22" not in str(result.finding)
    patient.follow(result)
    assert (await patient.see("config.valid")).status is Status.ok
    settings = load_settings(env_file)
    assert (settings.use_arq_worker, settings.arq_job_timeout) == (False, 60)


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


async def test_bytes_that_are_no_text_are_made_some(env_file, patient: Patient) -> None:
    env_file.write_bytes(b"# f\xfcr die Nieren\nARQ_MAX_JOBS=4\n")
    result = await patient.see("config.valid")
    assert result.status is Status.failed
    patient.follow(result)
    assert (await patient.see("config.valid")).status is Status.ok
    assert env_file.read_text() == "# für die Nieren\nARQ_MAX_JOBS=4\n"


async def test_what_cannot_be_used_skips_what_needs_it(env_file, patient: Patient) -> None:
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
        "export ADMIN_TOKEN = short7Kq2m",
        "NCBI_API_KEY=your_api_key_here",
        "NCBI_EMAIL=you@example.org",
    ],
)
async def test_a_placeholder_is_replaced_by_the_command(
    env_file, patient: Patient, line: str
) -> None:
    with env_file.open("a") as file:
        file.write(line + "\n")
    result = await patient.see("config.placeholders")
    assert result.status is Status.failed
    if "TOKEN" in line:
        assert line.partition("=")[2].strip() not in str(result.finding)
    patient.follow(result)
    assert (await patient.see("config.placeholders")).status is Status.ok
    settings = load_settings(env_file)
    if "TOKEN" in line:
        assert settings.admin_token is not None
        assert len(settings.admin_token.get_secret_value()) == 64


async def test_a_token_of_the_shell_is_replaced_there(
    env_file, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_TOKEN", "changeme")
    result = await patient.see("config.placeholders")
    told = patient.shell(f"{result.remedy}; printenv ADMIN_TOKEN").strip()
    monkeypatch.setenv("ADMIN_TOKEN", told)
    assert (await patient.see("config.placeholders")).status is Status.ok


async def test_a_servers_placeholder_password_is_found_and_not_shown(
    env_file, patient: Patient
) -> None:
    env_file.write_text(
        "DATABASE_URL=postgresql://kidney:changeme@db/genes\nREDIS_URL=redis://:secr%65t@r:6379/0\n"
    )
    result = await patient.see("config.placeholders")
    assert result.status is Status.failed
    assert result.finding.found == (
        "DATABASE_URL: a placeholder as password; REDIS_URL: a placeholder as password"
    )
    assert "changeme" not in str(result.finding)


LINES = {
    "ADMIN_TOKEN=pa$word7Kq2mPzLw": "$",
    'ADMIN_TOKEN="pa$word7Kq2mPzLw"': "$",
    "ADMIN_TOKEN=pa#word7Kq2mPzLw": "#",
    "ADMIN_TOKEN=x7Kq2mPz8vWn3Lr5 # the admin": "#",
    "ADMIN_TOKEN='x7Kq2mPz8vWn3Lr5' # the admin": "#",
    r"ADMIN_TOKEN=pa\word7Kq2mPzLw": "\\",
    "export ADMIN_TOKEN=x7Kq2mPz8vWn3Lr5": "export",
    'export ADMIN_TOKEN="pa$wo#rd7Kq2mPzLw"  # the admin': "export",
}


@pytest.mark.parametrize("line", LINES)
async def test_a_value_that_others_read_differently_is_rewritten(
    env_file, patient: Patient, line: str
) -> None:
    env_file.write_text(f"# first\n\n\n{line}\nARQ_MAX_JOBS=4\n")
    meant = load_settings(env_file).admin_token
    result = await patient.see("config.read-alike")
    assert result.status is Status.failed
    assert "line 4, ADMIN_TOKEN" in result.finding.found
    assert LINES[line] in result.finding.found
    assert "7Kq2mPz" not in str(result.finding)
    patient.follow(result)
    assert (await patient.see("config.read-alike")).status is Status.ok
    assert load_settings(env_file).admin_token == meant
    assert env_file.read_text().endswith("ARQ_MAX_JOBS=4\n")


async def test_a_value_that_cannot_be_written_alike_is_left_to_the_operator(
    env_file, patient: Patient, tmp_path
) -> None:
    env_file.write_text("\nDATABASE_URL=postgresql://kidney:it's$7Kq2mPz@db/genes\n")
    result = await patient.see("config.read-alike")
    assert "in an address write %24 for $" in result.remedy
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\n[ $1 = +2 ] && sed -i -e s/[$]/%24/ -e s/\\'/%27/ $2\n")
    editor.chmod(0o755)
    patient.env["EDITOR"] = str(editor)
    patient.follow(result)
    assert (await patient.see("config.read-alike")).status is Status.ok
    address = load_settings(env_file).database_url.get_secret_value()
    assert address == "postgresql://kidney:it%27s%247Kq2mPz@db/genes"


@pytest.mark.parametrize(
    ("line", "systemd", "compose"),
    [
        ("A=b", ("A", "b"), ("A", "b")),
        ("A =  b c  ", ("A", "b c"), ("A", "b c")),
        ("export A=b", ("export A", "b"), ("A", "b")),
        ("A='b $c' # d", ("A", "b $c# d"), ("A", "b $c")),
        ('A="b\\"c\\d"', ("A", 'b"c\\d'), ("A", None)),
        ("A=b\\c", ("A", "bc"), ("A", "b\\c")),
        ("A=b #c", ("A", "b #c"), ("A", "b")),
        ("A=b#c", ("A", "b#c"), ("A", None)),
        ("A=$b", ("A", "$b"), ("A", None)),
        ("A=", ("A", ""), ("A", "")),
    ],
)
def test_how_others_read_a_line(line: str, systemd: object, compose: object) -> None:
    assert systemd_reads(line) == systemd
    assert compose_reads(line) == compose


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


async def test_an_example_that_is_out_of_step_is_written_anew(patient: Patient) -> None:
    copy_checkout(patient.root)
    example = patient.root / ".env.example"
    example.write_text(example.read_text().replace("ARQ_MAX_JOBS=", "ARQ_JOBS="))
    result = await patient.see("config.example")
    assert result.status is Status.failed
    assert result.finding.found == "without ARQ_MAX_JOBS; with ARQ_JOBS, which is no setting"
    patient.follow(result)
    assert (await patient.see("config.example")).status is Status.ok


async def test_the_repositorys_own_example_is_in_step() -> None:
    assert (await Patient(REPOSITORY).see("config.example")).status is Status.ok


async def test_a_file_that_belongs_to_somebody_else_is_told(
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
    assert seen.remedy == "unset HTTPS_PROXY"
    assert (await patient.see("upstream.ncbi")).status is Status.skipped


async def test_a_folder_of_bulk_files_that_cannot_be_made_is_named(
    env_file, patient: Patient
) -> None:
    with env_file.open("a") as file:
        file.write(f"CACHE_DIR={env_file}/cache\n")
    seen = await patient.see("config.cache-dir")
    assert seen.status is Status.failed
    assert seen.finding.found == f"{env_file} is no folder"
    patient.follow(seen)
    assert (await patient.see("config.cache-dir")).status is Status.ok
