import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import WrongUse
from app.core.runs.jobs import time_limit
from app.core.runs.request import RunRequest


@given(st.lists(st.sampled_from(["hgnc", "ensembl", "clinvar"]), min_size=1))
def test_requests_are_equal_if_their_unique_sources_and_mode_are(names: list[str]) -> None:
    request = RunRequest.of(names)
    assert request == RunRequest.of(sorted(set(names)))
    assert request != RunRequest.of(names, "full")
    assert request != RunRequest.of(None)


def test_one_source_and_several_are_different_jobs_with_their_own_timeouts() -> None:
    assert RunRequest.of(["hgnc"]).task == "run_pipeline_task"
    assert RunRequest.of(["hgnc", "clinvar"]).task == "run_annotation_pipeline_task"
    assert RunRequest.of(None).task == "run_annotation_pipeline_task"
    assert time_limit("run_pipeline_task", 5) == 7_200
    assert time_limit("run_annotation_pipeline_task", 5) == 21_600
    assert time_limit("another", 5) == 5


def test_an_empty_list_and_an_unknown_mode_are_refused() -> None:
    with pytest.raises(WrongUse, match="empty"):
        RunRequest.of([])
    with pytest.raises(WrongUse, match="unknown mode 'fast'") as error:
        RunRequest.of(None, "fast")
    assert error.value.allowed == "smart or full"
