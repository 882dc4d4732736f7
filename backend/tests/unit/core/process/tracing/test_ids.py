import pytest

from app.core.process.tracing import ids

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_two_processes_compute_the_same_ids() -> None:
    # written down, because the other process may have another version of the code
    trace_id = ids.trace_of("7400000000000000000:16384:16390", 7)
    assert ids.as_text(trace_id) == "3139c68fee773ddc608809f01831d19a"
    assert f"{ids.run_span(trace_id):016x}" == "8c0c922cac85eaad"
    assert f"{ids.attempt_span(trace_id, 2):016x}" == "61fb042b94117380"
    assert f"{ids.source_span(trace_id, 2, 'hgnc'):016x}" == "2d9bfabe84affcac"


def test_no_two_things_have_the_same_id() -> None:
    traces = [ids.trace_of(each, run) for each in ("a", "b") for run in (1, 11, 111)]
    assert len(set(traces)) == len(traces)
    spans = [ids.run_span(traces[0])]
    for epoch in (1, 11):
        spans += [ids.attempt_span(traces[0], epoch), ids.reopened_span(traces[0], epoch)]
        spans += [ids.source_span(traces[0], epoch, source) for source in ("hgnc", "1")]
    assert len(set(spans)) == len(spans)


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f" 00-{TRACE}-{SPAN}-01\t",
        # a later version may have more fields
        f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
    ],
)
def test_a_valid_traceparent_is_read(header: str) -> None:
    caller = ids.read_traceparent(header)
    assert caller is not None
    assert (f"{caller.trace_id:032x}", f"{caller.span_id:016x}") == (TRACE, SPAN)
    assert ids.read_traceparent(ids.write_traceparent(caller)) == caller


@pytest.mark.parametrize(
    "header",
    [
        "",
        "no traceparent",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0x",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0\N{ARABIC-INDIC DIGIT ONE}",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_a_traceparent_that_is_not_valid_is_ignored(header: str) -> None:
    assert ids.read_traceparent(header) is None
