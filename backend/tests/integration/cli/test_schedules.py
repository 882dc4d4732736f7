"""The commands of schedules. Nobody is alive to do their ticks here."""

import getpass
import shlex
import socket

import pytest

from app.annotation.sources import SOURCES
from app.core.runs.request import RunRequest


def test_a_schedule_is_added_with_its_next_times_in_both_zones(cli) -> None:
    result = cli("schedule-add", "0 3 * * 0", "--zone", "Europe/Berlin", "--sources", "clinvar")
    assert result.exit_code == 0, result.output
    assert "clinvar-cron was added: 0 3 * * 0 (Europe/Berlin), clinvar" in result.stdout
    times = [line for line in result.stdout.splitlines() if "03:00 CE" in line]
    assert len(times) == 5
    listed = cli("schedules").stdout
    assert "clinvar-cron" in listed
    (shown,) = cli.json("schedules")
    assert (shown["by"], shown["sources"]) == (getpass.getuser(), ["clinvar"])


def test_the_outcome_of_a_tick_is_shown(cli, genes) -> None:
    cli("schedule-add", "--freshness", "8d", "--sources", "hgnc", "--name", "fresh")
    assert cli("schedule-run", "fresh").stdout == "fresh: ran as run 1\n"
    again = cli("schedule-run", "fresh")
    assert (again.exit_code, again.stdout) == (1, "fresh: skipped: run 1 is active\n")
    shown = cli("schedules", "fresh").stdout
    assert "when data are older than 8 days" in shown
    assert f"ran as run 1, requested by {getpass.getuser()}@" in shown
    assert "skipped: run 1 is active" in shown
    assert [tick["outcome"] for tick in cli.json("schedules", "fresh")["ticks"]] == [
        "skipped",
        "ran",
    ]


def test_a_schedule_is_paused_resumed_and_removed(cli) -> None:
    cli("schedule-add", "--release-every", "6h", "--name", "look")
    assert "just schedule-resume look" in cli("schedule-pause", "look").stdout
    assert "paused" in cli("schedules").stdout
    me = f"by {getpass.getuser()}@{socket.gethostname()}, CLI"
    assert me in cli("schedules", "look").stdout
    assert "is resumed; next:" in cli("schedule-resume", "look").stdout
    assert me in cli("schedules", "look").stdout
    assert cli("schedule-remove", "look").stdout == "look was removed\n"
    assert cli("schedules").stdout == ""


def test_suggested_schedules_are_valid_commands_and_cover_all_sources(
    cli, with_pg_dump, tmp_path
) -> None:
    commands = [
        line.removeprefix("just ").replace("/var/backups/kidney-genetics", str(tmp_path))
        for line in cli("schedules", "--suggest").stdout.splitlines()
        if not line.startswith("#")
    ]
    assert cli.json("schedules") == []
    for command in commands:
        result = cli(*shlex.split(command))
        assert result.exit_code == 0, result.output
    added = cli.json("schedules")
    assert len(added) == len(commands)
    assert {each["action"] for each in added} == {"refresh", "snapshot", "backup"}
    assert any(each["sources"] is None and each["action"] == "refresh" for each in added)
    named = [name for each in added for name in each["sources"] or ()]
    assert sorted(named) == sorted(set(named))
    assert set(named) <= SOURCES.keys()
    assert RunRequest.of(named)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "no time is given"),
        (("0 3 * * 0", "--freshness", "8d"), "several kinds"),
        (("0 3 * *",), "4 fields"),
        (("0 3 * * 0", "--zone", "Berlin"), "no time zone"),
        (("--freshness", "8 parsecs"), "is not a duration"),
        (("--freshness", "0"), "1 minute"),
        (("--release-every", "5min", "--sources", "clinvra"), "did you mean clinvar"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(cli, arguments, problem) -> None:
    result = cli("schedule-add", *arguments)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert cli.json("schedules") == []


def test_an_action_of_a_schedule_is_added_shown_and_done_at_once(
    cli, query, with_pg_dump, tmp_path
) -> None:
    added = cli("schedule-add", "0 2 * * *", "--backup", tmp_path, "--keep-daily", "3")
    assert added.exit_code == 0, added.output
    assert f"backup was added: 0 2 * * * (UTC), backup to {tmp_path}" in added.stdout
    more = ("--format", "csv", "--sources", "gnomad", "--where", "gnomad.loeuf<0.6")
    assert cli("schedule-add", "0 4 * * *", "--export", tmp_path, *more).exit_code == 0
    assert cli("schedule-add", "0 1 1 * *", "--snapshot", "monthly").exit_code == 0

    by_name = {each["name"]: each for each in cli.json("schedules")}
    assert by_name["backup"]["options"] == {
        "folder": str(tmp_path), "keep_daily": 3, "keep_weekly": 4,
    }  # fmt: skip
    assert by_name["export"]["options"] == {
        "folder": str(tmp_path), "format": "csv", "sources": ["gnomad"],
        "where": ["gnomad.loeuf<0.6"],
    }  # fmt: skip
    assert (by_name["snapshot"]["options"], by_name["snapshot"]["sources"]) == (
        {"prefix": "monthly"},
        None,
    )
    assert "keep daily 3; keep weekly 4" in cli("schedules", "backup").stdout

    # no worker is alive
    done = cli("schedule-run", "backup")
    assert (done.exit_code, done.stdout) == (0, "backup: waiting for a worker\n")
    query(
        "UPDATE schedule_ticks SET failures = 1, reason = 'on genes1: no room',"
        " not_before = '2026-11-26 12:05Z'"
    )
    failed = cli("schedules", "backup").stdout
    assert "failed, is retried at 2026-11-26" in failed
    assert "on genes1: no room" in failed


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--backup", "here"), "not absolute"),
        (("--backup", "/tmp", "--snapshot", "monthly"), "several actions"),
        (("--keep-daily", "3"), "--keep-daily without"),
        (("--snapshot", "monthly", "--keep-daily", "3"), "keep_daily"),
        (("--snapshot", "monthly", "--sources", "hgnc"), "sources"),
        (("--export", "/tmp", "--fields", "gnomad.leouf"), "did you mean"),
    ],
)
def test_an_impossible_schedule_is_refused(cli, arguments, problem) -> None:
    result = cli("schedule-add", "0 2 * * *", *arguments)
    assert result.exit_code == 2, result.output
    assert problem in result.stderr
    assert cli.json("schedules") == []
