import re

from app.api.calls import remedy_with_calls
from app.core.config import Settings
from app.core.errors import LIST_RUNS, MIGRATE, UserError, cancel_run
from app.main import create_app


def test_a_remedy_names_the_call_for_each_step_that_has_one() -> None:
    overlap = UserError("run 7 is active", remedy="cancel run 7", steps=(cancel_run(7),))
    missing = UserError("there is no run 8", remedy="list the runs", steps=(LIST_RUNS,))

    assert remedy_with_calls(overlap) == "cancel run 7: POST /api/admin/runs/7/cancel"
    assert remedy_with_calls(missing) == "list the runs: GET /api/admin/runs"


def test_a_step_that_no_call_takes_leaves_the_remedy_as_it_is() -> None:
    error = UserError("not migrated", remedy="migrate the database", steps=(MIGRATE,))

    assert remedy_with_calls(error) == "migrate the database"


def test_the_calls_that_remedies_name_exist() -> None:
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]  # type: ignore[call-arg]

    for step in (LIST_RUNS, cancel_run(7)):
        call = remedy_with_calls(UserError("x", remedy="y", steps=(step,)))
        method, path = call.removeprefix("y: ").split()
        assert method.lower() in paths[re.sub("/7/", "/{run_id}/", path)]
