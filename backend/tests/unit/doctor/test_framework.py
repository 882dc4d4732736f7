import asyncio
import threading
from itertools import groupby
from typing import NoReturn

import httpx
import psycopg
import pytest
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.annotation.settings import Settings
from app.core.checks import Check, Status, Unavailable, by_time, check, failed, ok, skipped, warning
from app.doctor.context import Context
from app.doctor.deadline import examine_in_time, run_in_thread
from app.doctor.registry import CHECKS, GROUPS
from app.doctor.run import examine, with_needs
from app.doctor.treat import treat
from tests import virtual_time
from tests.virtual_time import busy


def a_check(name: str, finding=None, *, needs=(), does=None, fix=None) -> Check:
    async def run(context: Context):
        if does is not None:
            return await does(context)
        return finding or ok("fine")

    words = {"symptom": "it hurts", "why": "it does"}
    return check(name, f"{name} is fine", **words, needs=needs, fix=fix)(run)


BROKEN = failed("broken", required="whole", found="broken", remedy="repair it")


async def found(*checks: Check, context: Context | None = None, limit: float = 4.0):
    results = await examine(checks, context or Context(environ={}, limit=limit))
    return {each.check.id: each for each in results}


async def test_checks_run_at_the_same_time() -> None:
    both = asyncio.Barrier(3)

    async def meet(_: Context):
        await both.wait()
        return ok("met")

    results = await found(*(a_check(f"a.{n}", does=meet) for n in range(3)))
    assert [each.status for each in results.values()] == [Status.ok] * 3


async def test_a_check_that_needs_a_failed_one_is_skipped_and_names_it() -> None:
    results = await found(
        a_check("a.first", BROKEN),
        a_check("a.second", needs=("a.first",)),
        a_check("a.third", needs=("a.second",)),
        a_check("b.other"),
    )
    assert results["a.second"].finding == skipped("needs a.first, which failed")
    assert results["a.third"].finding == skipped("needs a.first, which failed")
    assert results["b.other"].status is Status.ok


async def test_a_warning_prevents_no_other_check() -> None:
    results = await found(
        a_check("a.first", warning("so so", required="good", found="fair")),
        a_check("a.second", needs=("a.first",)),
    )
    assert results["a.second"].status is Status.ok


async def test_a_crash_is_a_result_with_its_type_and_without_secrets() -> None:
    async def crash(_: Context):
        raise RuntimeError("postgresql://kidney:hunter2@db/x said api_key=0123456789abcdef")

    finding = (await found(a_check("a.crash", does=crash)))["a.crash"].finding
    assert finding.status is Status.failed
    assert "RuntimeError" in finding.summary
    assert "hunter2" not in str(finding)
    assert "0123456789abcdef" not in str(finding)


def test_a_check_that_hangs_is_cancelled_and_dependent_checks_are_skipped() -> None:
    async def stubborn(_: Context):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(2)

    results = virtual_time.run(
        found(a_check("a.hangs", does=stubborn), a_check("a.after", needs=("a.hangs",)))
    )
    assert results["a.hangs"].finding.summary == "no answer in time"
    assert results["a.hangs"].remedy == "just doctor --limit 30 --only a.hangs"
    assert results["a.after"].finding == skipped("needs a.hangs, which failed")
    assert results["a.after"].ended < 3.1


def test_a_check_without_time_left_does_not_run() -> None:
    async def slow(_: Context):
        await asyncio.sleep(1.5)
        return ok("at last")

    chain = [a_check("a.0", does=slow)]
    chain += [a_check(f"a.{n}", does=slow, needs=(f"a.{n - 1}",)) for n in range(1, 9)]
    results = virtual_time.run(found(*chain)).values()
    statuses = [each.status for each in results]
    assert statuses[:2] == [Status.ok, Status.ok]
    assert set(statuses[2:]) == {Status.not_looked_at}
    assert [each.finding.summary for each in results][2:4] == [
        "it did not end within the 1.0 s that were left",
        "needs a.2, which was not looked at",
    ]
    assert max(each.ended for each in results) < 4.1


def test_with_more_time_all_checks_run() -> None:
    async def slow(_: Context):
        await asyncio.sleep(15)
        return ok("at last")

    chain = [a_check("a.0", does=slow), a_check("a.1", does=slow, needs=("a.0",))]
    results = virtual_time.run(found(*chain, limit=40)).values()
    assert [each.status for each in results] == [Status.ok, Status.ok]


def lost(seconds: float, finding=None):
    """A check during which the doctor itself is held up for so long."""

    async def run_check(_: Context):
        await asyncio.sleep(0.5)
        busy(seconds)
        if finding is None:
            await asyncio.Event().wait()
        return finding

    return run_check


SILENT = by_time(failed("no answer", required="one", found="none in 1.5 s", remedy="repair it"))


def test_a_timeout_is_inconclusive_if_the_doctor_was_late() -> None:
    results = virtual_time.run(
        found(
            a_check("a.hangs", does=lost(2.0)),
            a_check("a.silent", does=lost(0.0, SILENT)),
            a_check("a.broken", does=lost(0.0, BROKEN)),
            a_check("a.after", needs=("a.hangs",)),
        )
    )
    assert {name: each.status for name, each in results.items()} == {
        "a.hangs": Status.not_looked_at,
        "a.silent": Status.not_looked_at,
        # what is wrong at any time is wrong
        "a.broken": Status.failed,
        "a.after": Status.not_looked_at,
    }
    assert results["a.hangs"].remedy == ""


def test_a_timeout_is_the_services_when_the_doctor_was_on_time() -> None:
    results = virtual_time.run(
        found(a_check("a.hangs", does=lost(0.1)), a_check("a.silent", does=lost(0.0, SILENT)))
    )
    assert [each.status for each in results.values()] == [Status.failed, Status.failed]


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        RedisTimeoutError("Timeout reading from redis:6379"),
        httpx.ReadTimeout(""),
        psycopg.errors.ConnectionTimeout("connection timeout expired"),
        psycopg.errors.QueryCanceled("canceling statement due to statement timeout"),
    ],
)
def test_an_exception_that_is_a_timeout_is_no_crash(error) -> None:
    async def run_check(_: Context, *, held_up: float = 0) -> NoReturn:
        await asyncio.sleep(0.5)
        busy(held_up)
        raise error

    async def late(_: Context) -> NoReturn:
        await run_check(_, held_up=1)

    (on_time,) = virtual_time.run(found(a_check("a.a", does=run_check))).values()
    (held_up,) = virtual_time.run(found(a_check("a.a", does=late))).values()
    assert (on_time.status, on_time.finding.summary) == (Status.failed, "no answer in time")
    assert held_up.status is Status.not_looked_at


def test_a_thread_that_cannot_be_stopped_delays_no_exit() -> None:
    never = threading.Event()

    async def look_up(_: Context):
        await asyncio.to_thread(never.wait)
        return ok("found")

    results = run_in_thread(found(a_check("a.name", does=look_up), limit=0.3), 60)
    assert results["a.name"].status in {Status.failed, Status.not_looked_at}
    left = [each for each in threading.enumerate() if each.name == "doctor"]
    assert left
    assert all(each.daemon for each in left)
    never.set()


def test_a_check_that_blocks_the_event_loop_is_not_waited_for_either() -> None:
    never = threading.Event()

    async def block(_: Context):
        never.wait()
        return ok("at last")

    checks = [
        a_check("a.good"),
        a_check("a.blocks", does=block, needs=("a.good",)),
        a_check("b.after", needs=("a.blocks",)),
    ]
    results = examine_in_time(checks, Context(environ={}, limit=0.3))
    assert [each.status for each in results] == [
        Status.ok,
        Status.not_looked_at,
        Status.not_looked_at,
    ]
    never.set()


async def test_an_exception_in_a_thread_is_raised_where_it_is_awaited() -> None:
    def fails():
        raise ValueError("from a thread")

    async def run_check(_: Context):
        await asyncio.to_thread(fails)
        return ok("found")

    outcome = await asyncio.to_thread(
        lambda: run_in_thread(found(a_check("a.a", does=run_check)), 60)
    )
    assert "ValueError: from a thread" in outcome["a.a"].finding.found


async def test_known_secrets_are_hidden_in_all_results_of_a_check() -> None:
    environ = {"DATABASE_URL": "postgresql://kidney:hunter%402@db.example.org/genes"}
    settings = Settings(_env_file=None, admin_token="a-very-secret-token")
    leak = failed(
        "hunter@2 and hunter%402",
        required="postgresql://kidney:other1@db.example.org/genes",
        found="kidney@db.example.org",
        remedy="echo a-very-secret-token",
    )
    context = Context(environ=environ, settings=settings)
    finding = (await found(a_check("a.leak", leak), context=context))["a.leak"].finding
    assert finding.summary == "*** and ***"
    assert finding.required == "postgresql://kidney@db.example.org/genes"
    assert finding.found == "kidney@db.example.org"
    assert finding.remedy == "echo ***"


@pytest.mark.parametrize(
    "address",
    [
        "redis+sentinel://app:hunter22@a:26379,b:26379/main/0?sentinel_password=pa55word",
        "rediss://:hunter22@r:6379/0?password=pa55word",
        "redis://[app:hunter22@nowhere/0?password=pa55word",
    ],
)
async def test_no_password_of_an_address_is_shown_however_it_stands_there(address: str) -> None:
    context = Context(environ={"REDIS_URL": address})
    leak = failed(f"from {address}", required="pa55word", found="hunter22", remedy="x")
    finding = (await found(a_check("a.leak", leak), context=context))["a.leak"].finding
    assert "hunter22" not in str(finding)
    assert "pa55word" not in str(finding)


async def test_unusable_settings_skip_the_checks_that_need_them(patient) -> None:
    (patient.root / ".env").write_text("ARQ_MAX_JOBS=many\n")

    async def ask(context: Context):
        return ok(str(context.settings.arq_max_jobs))

    result = (await found(a_check("a.asks", does=ask), context=patient.context()))["a.asks"]
    assert result.status is Status.skipped
    with pytest.raises(Unavailable):
        _ = patient.context().settings


async def test_fix_continues_until_nothing_new_can_be_repaired() -> None:
    repaired: list[str] = []

    def breaks(name: str):
        async def run_check(_: Context):
            return ok("whole") if name in repaired else BROKEN

        async def fix(_: Context):
            repaired.append(name)
            return f"glued {name}"

        return {"does": run_check, "fix": fix}

    said: list[str] = []
    results = await asyncio.to_thread(
        treat,
        [
            a_check("a.first", **breaks("first")),
            a_check("a.then", needs=("a.first",), **breaks("then")),
        ],
        Context(environ={}),
        said.append,
    )
    assert said == ["repaired a.first: glued first", "repaired a.then: glued then"]
    assert [each.status for each in results] == [Status.ok, Status.ok]


async def test_a_failed_fix_is_reported_and_tried_once() -> None:
    tried: list[int] = []

    async def fix(_: Context):
        tried.append(1)
        raise PermissionError(13, "Permission denied")

    said: list[str] = []
    results = await asyncio.to_thread(
        treat, [a_check("a.first", BROKEN, fix=fix)], Context(environ={}), said.append
    )
    assert said == ["could not repair a.first: PermissionError: [Errno 13] Permission denied"]
    assert len(tried) == 1
    assert results[0].status is Status.failed


async def test_nothing_is_repaired_without_fix() -> None:
    async def fix(_: Context):
        raise AssertionError

    results = await asyncio.to_thread(
        treat, [a_check("a.first", BROKEN, fix=fix)], Context(environ={}), None
    )
    assert results[0].finding == BROKEN


def test_needed_checks_are_included() -> None:
    checks = [
        a_check("a.0"),
        a_check("a.1", needs=("a.0",)),
        a_check("b.2", needs=("a.1",)),
        a_check("b.3"),
    ]
    assert [each.id for each in with_needs(checks, ["b.2"])] == ["a.0", "a.1", "b.2"]


def test_the_registry_holds_together() -> None:
    ids = [each.id for each in CHECKS]
    assert len(set(ids)) == len(ids)
    groups = [group for group, _ in groupby(CHECKS, key=lambda each: each.group)]
    assert groups == list(GROUPS)
    for each in CHECKS:
        assert set(each.needs) <= set(ids), each.id
        assert each.title, each.id
        assert each.symptom.endswith("."), each.id
        assert each.why.endswith("."), each.id
    resolved: set[str] = set()
    while len(resolved) < len(CHECKS):
        now = {each.id for each in CHECKS if set(each.needs) <= resolved}
        assert now - resolved, f"these need each other: {set(ids) - resolved}"
        resolved |= now
