import json

from app.core.checks import Status, check, failed, not_looked_at, ok, skipped, warning
from app.doctor.report import style_for, to_json, to_text
from app.doctor.run import Result

PLAIN = style_for(terminal=False, unicode=True, colour=True)


def result(name: str, finding, remedy: str = "") -> Result:
    async def run(context):
        return finding

    made = check(name, f"{name} is fine", symptom="It aches.", why="It hurts.", remedy=remedy)(run)
    return Result(made, finding, 7.0, 7.0123)


RESULTS = [
    result("config.a", ok("fine")),
    result(
        "config.b",
        failed("broken …", required="whole", found="one\ntwo", remedy="do this\ndo that"),
        remedy="never shown",
    ),
    result("redis.c", warning("slow", required="fast", found="so so"), remedy="hurry up"),
    result("redis.d", skipped("needs config.b, which failed")),
    result("redis.e", not_looked_at("it did not end within the 0.4 s that were left")),
]

TEXT = """\
config
  ok   config.a: fine
  FAIL config.b: broken ...
        required  whole
        found     one
                  two
        why       It hurts.
        repair    do this
                  do that
        see       docs/troubleshooting.md#config-b

redis
  warn redis.c: slow
        required  fast
        found     so so
        why       It hurts.
        repair    hurry up
        see       docs/troubleshooting.md#redis-c
  skip redis.d: needs config.b, which failed
  late redis.e: it did not end within the 0.4 s that were left

One check was not looked at, for lack of time. For more time: just doctor --limit 30

1 passed, 1 warning, 1 failed, 1 skipped, 1 not looked at in 0.5 s"""


def test_a_passed_check_gets_one_line_and_a_problem_gets_all_details() -> None:
    assert to_text(RESULTS, PLAIN, seconds=0.51) == TEXT


def test_quiet_shows_problems_only() -> None:
    text = to_text(RESULTS, PLAIN, seconds=0.51, quiet=True)
    assert "config.a" not in text
    assert "redis.d" not in text
    assert "redis.e" not in text
    assert "One check was not looked at" in text
    assert "config.b" in text
    assert not to_text(RESULTS[:1], PLAIN, seconds=0.1, quiet=True)


def test_a_pipe_gets_ascii_without_colours_and_control_characters() -> None:
    odd = [result("a.b", ok("naïve \x1b[31m… line\nbreak"))]
    text = to_text(odd, PLAIN, seconds=0)
    assert text.isascii()
    assert "\x1b" not in text
    assert "line break" in text


def test_a_terminal_gets_symbols_and_colours_unless_disabled() -> None:
    colourful = to_text(RESULTS, style_for(terminal=True, unicode=True, colour=True), seconds=0)
    assert "\x1b[31m✗" in colourful
    quiet = to_text(RESULTS, style_for(terminal=True, unicode=True, colour=False), seconds=0)
    assert "✓ config.a" in quiet
    assert "\x1b" not in quiet
    old = to_text(RESULTS, style_for(terminal=True, unicode=False, colour=False), seconds=0)
    assert old.isascii()


def test_json_is_one_object_with_all_that_a_program_needs() -> None:
    told = json.loads(to_json(RESULTS, passed=False, seconds=0.51, done=["repaired"]))
    assert told["ok"] is False
    assert told["counts"] == {
        "ok": 1,
        "warning": 1,
        "failed": 1,
        "skipped": 1,
        "not_looked_at": 1,
    }
    assert told["fixed"] == ["repaired"]
    assert told["checks"][1] == {
        "id": "config.b",
        "group": "config",
        "title": "config.b is fine",
        "status": Status.failed,
        "summary": "broken …",
        "required": "whole",
        "found": "one\ntwo",
        "detail": {},
        "why": "It hurts.",
        "remedy": "do this\ndo that",
        "docs": "docs/troubleshooting.md#config-b",
        "seconds": 0.012,
    }
    assert told["checks"][0]["remedy"] == ""
