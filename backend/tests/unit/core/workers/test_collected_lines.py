import logging
from collections.abc import Iterator

import pytest

from app.core.errors import UserError
from app.core.process.logs import bound_contextvars
from app.core.process.redaction import learn
from app.core.runs.log_lines import MAX_LINE_CHARS, MAX_LINES
from app.core.workers.collected_lines import CollectedLines

KEY = "0123456789abcdef"
ATTEMPT = (7, 2)

logger = logging.getLogger("app.test")


@pytest.fixture
def collected() -> Iterator[CollectedLines]:
    """What is collected of one attempt. It listens to the log."""
    handler = CollectedLines()
    root = logging.getLogger()
    level = root.level
    root.setLevel("INFO")
    root.addHandler(handler)
    handler.begin(ATTEMPT)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def texts(collected: CollectedLines) -> list[str]:
    return [line.text for line in collected.waiting().get(ATTEMPT, [])]


def fail(message: str, depth: int = 0) -> None:
    """Raise an error. Two functions call each other, because Python leaves out what repeats."""
    if not depth:
        raise ValueError(message)
    fail_deeper(message, depth)


def fail_deeper(message: str, depth: int) -> None:
    fail(message, depth - 1)


def log_failure(message: str, depth: int = 0) -> None:
    with bound_contextvars(run=7, epoch=2):
        try:
            fail(message, depth)
        except ValueError:
            logger.exception("it failed")


def test_a_line_belongs_to_the_attempt_in_which_it_is_logged(collected: CollectedLines) -> None:
    with bound_contextvars(run=7, epoch=2, source="hgnc"):
        logger.info("%d genes are due", 5)
        logger.warning("hgnc: is slow")
    with bound_contextvars(run=7, epoch=1):
        logger.info("of another attempt")
    logger.info("of none")

    (first, second) = collected.waiting()[ATTEMPT]
    assert (first.number, first.level, first.text) == (1, "info", "hgnc: 5 genes are due")
    assert (second.number, second.level, second.text) == (2, "warning", "hgnc: is slow")


def test_lines_wait_until_they_are_stored(collected: CollectedLines) -> None:
    with bound_contextvars(run=7, epoch=2):
        for number in range(3):
            logger.info("line %d", number)
        collected.stored(ATTEMPT, 2)
        logger.info("another")

    assert [line.number for line in collected.waiting()[ATTEMPT]] == [3, 4]
    collected.stored(ATTEMPT, 4)
    assert collected.waiting() == {}


def test_of_many_lines_the_last_ones_are_kept(collected: CollectedLines) -> None:
    with bound_contextvars(run=7, epoch=2):
        for number in range(5_000):
            logger.info("line %d", number)

    lines = collected.waiting()[ATTEMPT]
    assert len(lines) == MAX_LINES
    assert (lines[-1].number, lines[-1].text) == (5_000, "line 4999")


def test_a_long_line_is_cut_and_each_line_of_a_message_is_one(collected: CollectedLines) -> None:
    with bound_contextvars(run=7, epoch=2):
        logger.info("x" * 100_000)
        logger.info("one\ntwo\x00")

    cut, one, two = texts(collected)
    assert len(cut) == MAX_LINE_CHARS
    assert (one, two) == ("one", "two")


def test_a_traceback_is_shortened_from_its_middle(collected: CollectedLines) -> None:
    log_failure("too deep", depth=60)

    found = texts(collected)
    assert found[:2] == ["it failed", "Traceback (most recent call last):"]
    assert found[-1] == "ValueError: too deep"
    assert len(found) == 1 + 10 + 1 + 30
    (gap,) = [each for each in found if "left out" in each]
    assert gap.startswith("  ... ")


def test_an_error_that_the_user_can_mend_has_no_traceback(collected: CollectedLines) -> None:
    with bound_contextvars(run=7, epoch=2):
        try:
            raise UserError("the disk is full", remedy="make room")  # noqa: TRY301
        except UserError:
            logger.exception("it failed")

    assert texts(collected) == ["it failed: the disk is full", "  remedy: make room"]


@pytest.mark.parametrize(
    "message",
    [
        f"GET https://user:{KEY}@h/x?api_key={KEY}&id=1",
        f"{{'Authorization': 'Bearer {KEY}'}}",
        f"redis://:{KEY}@h/0 is not there",
    ],
)
def test_no_secret_is_collected_from_a_message_or_an_exception(
    collected: CollectedLines, message: str
) -> None:
    with bound_contextvars(run=7, epoch=2):
        logger.info("%s", message)
    log_failure(message)

    found = "\n".join(texts(collected))
    assert "***" in found
    assert KEY not in found


@pytest.mark.parametrize("cut", range(1, 28, 4))
def test_no_half_of_a_secret_is_collected_where_a_long_text_is_cut(
    collected: CollectedLines, cut: int
) -> None:
    secret = "correct-horse-battery-staple"
    learn([secret])
    many = ("a" * 60 + "\n") * 200
    found = []
    # the first 8,000 characters end in the secret, or the last 8,000 characters begin in it
    for text in (
        many[: 8_000 - cut] + secret + many,
        many + secret + many[: 8_000 - cut],
    ):
        with bound_contextvars(run=7, epoch=2):
            logger.info("%s", text)
        found += texts(collected)
        collected.stored(ATTEMPT, 100_000)

    left = {line.replace("a", "") for line in found}
    assert left <= {"", "***"}


def test_lines_that_are_not_logged_are_not_collected(collected: CollectedLines) -> None:
    with bound_contextvars(run=7, epoch=2):
        logging.getLogger("httpx").info("HTTP Request: GET /")
        logger.debug("too fine")

    assert texts(collected) == []


def test_nothing_is_collected_after_the_end(collected: CollectedLines) -> None:
    collected.end(ATTEMPT)
    with bound_contextvars(run=7, epoch=2):
        logger.info("late")

    assert collected.waiting() == {}
