import json
import logging
from collections.abc import Iterator

import pytest

from app.core import logs
from app.core.logs import bound_contextvars

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_which_run_attempt_job_worker_and_source_it_is_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("INFO")
    with bound_contextvars(run=7, epoch=2, job="7:2", worker=3, source="clinvar"):
        logging.getLogger("app.x").info("%d genes are due", 5)
    (line,) = lines(capsys)
    assert line["event"] == "5 genes are due"
    about = {key: line[key] for key in ("run", "epoch", "job", "worker", "source", "level")}
    assert about == {
        "run": 7,
        "epoch": 2,
        "job": "7:2",
        "worker": 3,
        "source": "clinvar",
        "level": "info",
    }


def test_no_secret_is_in_a_message_or_a_traceback_and_each_line_is_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("INFO")
    error = ValueError(f'password="{KEY}" at redis://:{KEY}@h/0')
    logging.getLogger("app.x").error('api_key="%s"', KEY, exc_info=error)
    (line,) = lines(capsys)
    assert KEY not in json.dumps(line)
    assert "ValueError" in str(line["exception"])


def test_libraries_are_heard_when_it_matters_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logging.getLogger("httpx").info("HTTP Request: GET /")
    logging.getLogger("arq.worker").info("recording health")
    logging.getLogger("arq.worker").warning("job expired")
    assert [line["event"] for line in lines(capsys)] == ["job expired"]
