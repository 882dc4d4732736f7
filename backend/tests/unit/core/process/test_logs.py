import json
import logging
from collections.abc import Iterator

import pytest

from app.core.errors import UserError
from app.core.process import logs
from app.core.process.logs import bound_contextvars

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_has_the_run_epoch_job_worker_and_source_that_it_is_about(
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


def test_messages_and_tracebacks_have_no_secrets_and_each_line_is_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("INFO")
    error = ValueError(f'password="{KEY}" at redis://:{KEY}@h/0')
    logging.getLogger("app.x").error('api_key="%s"', KEY, exc_info=error)
    (line,) = lines(capsys)
    assert KEY not in json.dumps(line)
    assert "ValueError" in str(line["exception"])


def test_chatty_libraries_log_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    logging.getLogger("httpx").info("HTTP Request: GET /")
    logging.getLogger("arq.worker").info("recording health")
    logging.getLogger("arq.worker").warning("job expired")
    assert [line["event"] for line in lines(capsys)] == ["job expired"]


def fails_with(secret: str) -> Exception:
    where = {"url": f"postgresql://kidney:{secret}@db.example/genes", "x" * 60: 1}
    try:
        return ValueError(where["nothing"])
    except KeyError as error:
        return error


@pytest.mark.parametrize("people", [True, False])
def test_a_traceback_shows_no_local_variable(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    people: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    logs.configure("INFO", people=people)
    secret = "Qw3rtzUiopAsdfghJklYxcvbnm1234567890Qw3rtzUiopAs"
    logging.getLogger("app.x").error("it failed", exc_info=fails_with(secret))
    said = capsys.readouterr().err
    assert "KeyError: 'nothing'" in said
    assert "postgresql" not in said
    assert "Qw3rtz" not in said


@pytest.mark.parametrize("people", [True, False])
def test_a_user_error_is_logged_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
    people: bool,  # noqa: FBT001
) -> None:
    logs.configure("INFO", people=people)
    try:
        try:
            int("x")
        except ValueError as error:
            raise UserError("no such server", remedy="make hybrid-up") from error
    except UserError:
        logging.getLogger("app.x").exception("the worker stops")
    said = capsys.readouterr().err
    assert "the worker stops: no such server" in said
    assert "make hybrid-up" in said
    assert "Traceback" not in said
    assert "ValueError" not in said


def test_secrets_within_a_value_are_hidden_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO")
    with bound_contextvars(asked={"url": [f"redis://:{KEY}@h/0"]}, number=3):
        logging.getLogger("app.x").info("x")
    (line,) = lines(capsys)
    assert KEY not in json.dumps(line)
    assert line["number"] == 3


def test_control_characters_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("INFO", people=True)
    logging.getLogger("app.x").warning("upstream says: %s", "\x1b[2J\u202ex")
    assert r"upstream says: \x1b[2J\u202ex" in capsys.readouterr().err
