from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.annotation.sources import SOURCES
from app.core.checks import Status
from app.core.redis.rate_limits import KEY
from app.doctor.checks import upstream
from app.doctor.checks.upstream import HOSTS
from harness.timing import scaled
from sandbox.options import Options
from sandbox.server import Sandbox
from services.process import await_true
from tests.integration.doctor.ward import change, equip, silent
from tests.patient import LIMIT, Patient

CHECKS = tuple(each.id for each in upstream.CHECKS)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = Options(genes=30, variants_per_gene=5, limits="off", cache_dir=tmp_path / "sandbox")
    with Sandbox(options) as sandbox:
        sandbox.prepare()
        yield sandbox


@pytest.fixture
def patient(patient: Patient, sandbox: Sandbox) -> Patient:
    equip(patient)
    change(patient, **{name.lower(): value for name, value in sandbox.settings.items()})
    change(patient, disabled_sources="none")
    return patient


async def test_services_that_answer_as_they_should_pass_all_checks(patient: Patient) -> None:
    found = await patient.all(*CHECKS)

    assert {name: found[name].status for name in CHECKS} == dict.fromkeys(CHECKS, Status.ok), found


def test_every_host_of_a_source_has_a_check() -> None:
    asked = {host.name for source in SOURCES.values() for host in source.info.hosts}

    assert {each.id.removeprefix("upstream.") for each in HOSTS} == asked


async def test_offline_no_request_is_sent_to_a_service(patient: Patient, sandbox: Sandbox) -> None:
    found = await patient.all(*(each.id for each in HOSTS), offline=True)

    assert {found[each.id].status for each in HOSTS} == {Status.skipped}
    assert sandbox.stats()["requests"] == {}


@pytest.mark.parametrize(
    ("host", "endpoint", "kinds"),
    [
        ("ncbi", "clinvar.esearch", ("error-body", "hang")),
        ("ensembl", "ensembl.lookup", ("503", "html")),
        ("hgnc", "hgnc.fetch", ("invalid-json", "reset")),
        ("ncbi-files", "clinvar.variant_summary", ("html", "hang")),
        ("hgnc-files", "hgnc.complete_set", ("html", "503")),
    ],
)
async def test_a_service_that_answers_wrongly_is_reported(
    patient: Patient, sandbox: Sandbox, host: str, endpoint: str, kinds: tuple[str, ...]
) -> None:
    for kind in kinds:
        sandbox.fault(endpoint, kind)

        # a service that hangs takes up the whole limit
        limit = scaled(4) if kind == "hang" else LIMIT
        broken = await patient.see(f"upstream.{host}", limit=limit)

        assert broken.status is Status.failed, kind
        assert f"127.0.0.1:{sandbox.port}" in broken.finding.summary
        assert broken.remedy == f"just doctor --only upstream.{host}"
        sandbox.clear_faults()
        assert (await patient.see(f"upstream.{host}")).status is Status.ok
    # the printed command looks again
    patient.shell(broken.remedy)


async def test_only_the_start_of_a_file_is_fetched(patient: Patient, sandbox: Sandbox) -> None:
    found = await patient.all("upstream.ncbi-files", "upstream.hgnc-files")

    assert "has the expected columns" in found["upstream.ncbi-files"].finding.summary


async def test_an_address_without_a_listener_is_reported(patient: Patient) -> None:
    change(patient, ensembl_rest_url="http://127.0.0.1:9")

    broken = await patient.see("upstream.ensembl")

    assert broken.status is Status.failed
    assert "ENSEMBL_REST_URL" in broken.finding.required


async def test_the_printed_command_removes_a_key_that_ncbi_does_not_know(
    patient: Patient, sandbox: Sandbox
) -> None:
    patient.about.clear()
    patient.env.clear()
    settings = sandbox.settings | {"NCBI_API_KEY": "invalid-key-of-the-tests"}
    (patient.root / ".env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))

    broken = await patient.see("upstream.ncbi-key")

    assert broken.status is Status.failed
    assert "invalid-key" not in str(broken.finding)
    # the service itself is there
    assert (await patient.see("upstream.ncbi")).status is Status.ok
    patient.follow(broken)
    assert (await patient.see("upstream.ncbi-key")).status is Status.ok


async def test_a_key_that_ncbi_knows_passes(patient: Patient) -> None:
    change(patient, ncbi_api_key="a-good-key-of-the-tests")

    found = await patient.see("upstream.ncbi-key")

    assert found.finding.summary == "NCBI accepts the key"


async def test_users_of_ncbi_are_advised_to_identify_themselves(patient: Patient) -> None:
    change(patient, ncbi_eutils_url="https://eutils.ncbi.nlm.nih.gov/entrez/eutils")

    found = await patient.all("upstream.ncbi-key", "upstream.ncbi-email", offline=True)

    assert {each.status for name, each in found.items() if "ncbi" in name} == {Status.warning}
    patient.about.clear()
    patient.env.clear()
    for name in ("upstream.ncbi-key", "upstream.ncbi-email"):
        patient.follow(found[name])
    later = await patient.all("upstream.ncbi-key", "upstream.ncbi-email", offline=True)
    assert later["upstream.ncbi-email"].status is Status.ok
    assert later["upstream.ncbi-key"].status is Status.skipped


async def test_the_workers_budget_is_kept_to(patient: Patient) -> None:
    with redis.Redis.from_url(patient.env["REDIS_URL"]) as client:
        # a Redis that has just started may have forgotten what was asked: everybody waits
        assert await_true(lambda: client.info("server")["uptime_in_seconds"] > 1, 10)
        # a pause that a worker has been told to make
        now, later = (int(client.time()[0] + seconds) * 1_000_000 for seconds in (0, 600))
        client.hset(KEY.format("ensembl"), mapping={"next": now, "paused": later})

        paused = await patient.see("upstream.ensembl", limit=scaled(4))

        assert paused.status is Status.warning
        assert "paused" in paused.finding.found
        client.hset(KEY.format("ensembl"), "paused", 0)
        assert (await patient.see("upstream.ensembl")).status is Status.ok
        assert int(client.hget(KEY.format("ensembl"), "next")) > now


async def test_a_request_that_a_budget_delays_does_not_make_the_service_look_silent(
    patient: Patient, sandbox: Sandbox
) -> None:
    with redis.Redis.from_url(patient.env["REDIS_URL"]) as client:
        assert await_true(lambda: client.info("server")["uptime_in_seconds"] > 1, 10)
        seconds, micros = client.time()
        now = seconds * 1_000_000 + micros
        state = {"next": now, "paused": now + int(scaled(1) * 1_000_000)}
        client.hset(KEY.format("hpo-files"), mapping=state)
    # after the pause, too little time is left to know whether the service answers
    sandbox.fault("hpo.genes", "hang")

    late = await patient.see("upstream.hpo-files", limit=scaled(4))

    assert late.status is Status.warning, late
    assert "request budget" in late.finding.required


async def test_an_unavailable_redis_does_not_block_requests(patient: Patient) -> None:
    change(patient, redis_url="redis://127.0.0.1:9/0")

    assert (await patient.see("upstream.ensembl")).status is Status.ok


async def test_a_silent_redis_does_not_look_like_a_busy_budget(patient: Patient) -> None:
    with silent() as port:
        change(patient, redis_url=f"redis://127.0.0.1:{port}/0")

        assert (await patient.see("upstream.ensembl", limit=scaled(4))).status is Status.ok
