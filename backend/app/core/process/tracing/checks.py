"""The check of traces: the collector accepts them."""

from app.core.checks import Check, Context, Finding, by_time, check, failed, is_timeout, ok, skipped
from app.core.errors import EDIT_SETTINGS, INSTALL_TRACES
from app.core.process.redaction import hide_in_addresses
from app.core.process.tracing.target import is_installed, target_of

_REFUSED = frozenset({401, 403})


@check(
    "traces.collector",
    "the collector accepts traces",
    symptom="No traces arrive, and the worker logs `dropping the spans for …` or does not start"
    " because packages are missing.",
    why="Spans that the collector does not accept are dropped. Runs are not affected.",
    needs=("config.valid",),
)
async def collector(context: Context) -> Finding:
    """Send the collector a request without spans."""
    import ssl

    import httpx

    target = target_of(context.settings)
    if target is None:
        return skipped("not used: OTEL_EXPORTER_OTLP_ENDPOINT is not set")
    if not is_installed():
        return failed(
            "the packages that send traces are not installed here",
            required="the packages of requirements/otel.txt, where runs are executed",
            found="they are missing",
            remedy=INSTALL_TRACES,
        )
    shown = hide_in_addresses(target.address)
    headers = {"Content-Type": "application/x-protobuf", **target.headers}
    trusted = ssl.create_default_context(cafile=target.certificate) if target.certificate else True
    try:
        async with httpx.AsyncClient(timeout=context.answer_timeout, verify=trusted) as client:
            # an empty protobuf message is encoded as zero bytes
            response = await client.post(target.address, headers=headers, content=b"")
    except (httpx.HTTPError, OSError) as error:
        found = failed(
            f"the collector cannot be reached at {shown}",
            required="a collector that accepts OTLP over HTTP at OTEL_EXPORTER_OTLP_ENDPOINT",
            found=str(error) or type(error).__name__,
            remedy=EDIT_SETTINGS,
        )
        return by_time(found) if is_timeout(error) else found
    if response.is_success:
        return ok(f"{shown} accepts traces")
    setting = "HEADERS" if response.status_code in _REFUSED else "ENDPOINT"
    return failed(
        f"the collector at {shown} rejects traces",
        required=f"the correct value of OTEL_EXPORTER_OTLP_{setting}",
        found=f"the answer {response.status_code} {response.reason_phrase}".rstrip(),
        remedy=EDIT_SETTINGS,
    )


CHECKS: tuple[Check, ...] = (collector,)
