from collections.abc import Iterator

import pytest

from app.core.checks import Status
from app.core.process.tracing import checks
from services.process import free_port
from tests.integration.doctor.ward import change
from tests.otlp import Collector, running_collector
from tests.patient import Patient

COLLECTOR = "traces.collector"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture
def patient(patient: Patient, collector: Collector) -> Patient:
    change(
        patient,
        otel_exporter_otlp_endpoint=collector.address,
        otel_exporter_otlp_headers="x-key=a-key-of-the-collector",
    )
    return patient


async def test_a_collector_that_takes_traces_passes_and_gets_no_span(
    patient: Patient, collector: Collector
) -> None:
    result = await patient.see(COLLECTOR)
    assert result.status is Status.ok, result
    assert collector.raw == [b""]
    assert collector.spans == []
    assert collector.headers[0]["x-key"] == "a-key-of-the-collector"


async def test_without_an_address_there_is_nothing_to_check(patient: Patient) -> None:
    del patient.env["OTEL_EXPORTER_OTLP_ENDPOINT"]
    change(patient)
    assert (await patient.see(COLLECTOR)).status is Status.skipped


@pytest.mark.parametrize(
    ("status", "setting"),
    [(401, "OTEL_EXPORTER_OTLP_HEADERS"), (404, "OTEL_EXPORTER_OTLP_ENDPOINT")],
)
async def test_a_collector_that_refuses_is_a_problem_of_the_setting_that_is_named(
    patient: Patient, collector: Collector, status: int, setting: str
) -> None:
    collector.status = status
    finding = (await patient.see(COLLECTOR)).finding
    assert finding.status is Status.failed
    assert str(status) in finding.found
    assert setting in finding.required


async def test_an_address_without_a_server_is_a_problem_and_no_password_is_shown(
    patient: Patient,
) -> None:
    change(patient, otel_exporter_otlp_endpoint=f"http://me:s3cr3t-word@127.0.0.1:{free_port()}")
    result = await patient.see(COLLECTOR)
    assert result.status is Status.failed
    assert "127.0.0.1" in result.finding.summary
    assert "s3cr3t-word" not in str(result.finding)


async def test_missing_packages_are_named_with_the_command_that_installs_them(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "is_installed", lambda: False)
    result = await patient.see(COLLECTOR)
    assert result.status is Status.failed
    assert result.remedy == "make traces"
