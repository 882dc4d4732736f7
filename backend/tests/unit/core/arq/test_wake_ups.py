import pickle

import pytest
from arq.jobs import SerializationError, deserialize_job_raw, serialize_job
from hypothesis import given
from hypothesis import strategies as st

from app.core.arq.wake_ups import dump, load, parse_id

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=10,
)


@given(st.lists(JSON), st.dictionaries(st.text(), JSON))
def test_a_job_survives_serialization(args: list[object], kwargs: dict[str, object]) -> None:
    raw = serialize_job("run_pipeline_task", tuple(args), kwargs, None, 12, serializer=dump)
    name, back, named, _, enqueued = deserialize_job_raw(raw, deserializer=load)
    assert (name, list(back), named, enqueued) == ("run_pipeline_task", args, kwargs, 12)


@given(st.binary())
def test_bytes_that_are_not_a_job_are_refused_as_arq_expects(raw: bytes) -> None:
    with pytest.raises(SerializationError):
        deserialize_job_raw(raw, deserializer=load)


@pytest.mark.parametrize(
    "raw",
    [
        pickle.dumps({"t": None, "f": "x", "a": (), "k": {}, "et": 1}),
        b'{"t": null, "f": 5, "a": [], "k": {}, "et": 1}',
        b'{"t": null, "f": "x", "a": {}, "k": {}, "et": 1}',
        b'{"t": null, "f": "x", "a": [], "k": [], "et": 1}',
        b'{"t": null, "f": "x", "a": [], "k": {}, "et": "1"}',
        b'{"f": "x"}',
        b"null",
    ],
)
def test_a_pickle_or_json_of_the_wrong_types_is_refused(raw: bytes) -> None:
    with pytest.raises(SerializationError):
        deserialize_job_raw(raw, deserializer=load)


@given(st.integers(1, 10**17), st.integers(1, 10**8))
def test_the_id_of_a_wake_up_holds_the_run_and_the_epoch(run_id: int, epoch: int) -> None:
    assert parse_id(f"{run_id}:{epoch}") == (run_id, epoch)


@pytest.mark.parametrize(
    "job_id", ["", "1", "1:", ":1", "0:1", "1:0", "01:1", "1:1:1", "a:b", "\u0661:\u0661"]
)
def test_any_other_id_belongs_to_a_client(job_id: str) -> None:
    assert parse_id(job_id) is None
