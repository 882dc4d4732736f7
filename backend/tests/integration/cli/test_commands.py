"""The commands, on a real database and Redis. Nobody executes the runs here."""

import getpass
import json
import socket

import pytest
import redis
from pydantic import SecretStr
from sqlalchemy import make_url

COMMANDS = ["annotate", "runs", "show 1", "cancel 1", "retry 1", "status", "genes-import x", "api"]


def test_a_run_is_queued_and_rung(cli, genes, redis_url) -> None:
    result = cli("annotate", "ensembl", "--mode", "full")
    assert result.exit_code == 0
    assert result.stdout == "run 1 (ensembl, full) is queued\n"
    assert "just show 1" in result.stderr
    with redis.Redis.from_url(redis_url) as client:
        assert client.zrange("kidney_genetics_tasks", 0, -1) == [b"1:1"]


@pytest.mark.parametrize(
    ("arq", "start"), [(True, "make worker"), (False, "make worker, or make api")]
)
def test_it_reports_when_no_process_is_alive_to_execute_the_run(cli, genes, arq, start) -> None:
    cli.settings = cli.settings.model_copy(update={"use_arq_worker": arq})
    result = cli("annotate")
    assert result.exit_code == 0
    assert start in result.stderr
    assert start in cli("status").stdout


def test_the_same_request_returns_the_existing_run(cli, genes) -> None:
    first = cli.json("annotate", "ensembl", "hgnc")
    second = cli.json("annotate", "hgnc", "ensembl", "hgnc")
    assert (first["id"], first["created"]) == (second["id"], True)
    assert second["created"] is False


def test_held_answers_of_a_run_are_shown_with_a_command_and_accepted(cli, genes, query) -> None:
    cli("annotate", "ensembl", "hgnc")
    cli("cancel", "1")
    held = '{"reason": "its file lost 30 genes", "genes": 30, "examples": ["PKD1"], "files": []}'
    query("UPDATE runs SET state = 'failed'")
    query("UPDATE run_sources SET state = 'held', held = %s WHERE source = 'hgnc'", held)
    shown = cli("show", "1").stdout
    assert "answers of hgnc are held: its file lost 30 genes" in shown
    assert "genes that would become absent: PKD1, ..." in shown
    assert 'just accept 1 hgnc --note "why"' in shown
    wrong = cli("accept", "1", "ensembl")
    assert (wrong.exit_code, "allowed: hgnc" in wrong.stderr) == (2, True)
    assert cli("accept", "1", "hgnc", "--note", "HGNC said so").exit_code == 0
    assert f"answers of hgnc accepted by {getpass.getuser()}" in cli("show", "1").stdout
    states = query("SELECT source, state FROM run_sources ORDER BY source")
    assert [row["state"] for row in states] == ["queued", "queued"]


def test_an_overlapping_request_is_refused(cli, genes) -> None:
    cli("annotate", "ensembl")
    result = cli("annotate")
    assert result.exit_code == 1
    assert "Error: run 1 is active and covers ensembl" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("annotate", "clinvr"), "did you mean clinvar?"),
        (("annotate", "--mode", "quick"), "'smart', 'full'"),
        (("show", "one"), "not a valid integer"),
        (("show", "0"), "not in the range"),
        (("show", 2**63), "not in the range"),
        (("runs", "--limit", "0"), "not in the range"),
        (("nothing",), "No such command"),
    ],
)
def test_wrong_use_is_distinguished(cli, genes, arguments, said) -> None:
    result = cli(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_without_genes_it_shows_how_to_import_some(cli) -> None:
    result = cli("annotate")
    assert result.exit_code == 2
    assert "genes-import" in result.stderr


@pytest.mark.parametrize("command", ["show", "cancel", "retry"])
def test_a_run_that_is_not_there(cli, command) -> None:
    result = cli(command, 7)
    assert result.exit_code == 1
    assert "Error: there is no run 7" in result.stderr


def test_a_run_is_cancelled_and_tried_again(cli, genes, redis_url) -> None:
    cli("annotate", "ensembl")
    assert cli("cancel", 1).stdout == "run 1 was cancelled\n"
    assert cli("cancel", 1).exit_code == 1
    assert cli("retry", 1).stdout == "run 1 is queued\n"
    assert cli("retry", 1).exit_code == 1
    assert cli.json("cancel", 1) == {"id": 1, "state": "cancelled"}
    assert cli.json("annotate", "ensembl", "--resume")["id"] == 1
    me = f"{getpass.getuser()}@{socket.gethostname()}, CLI"
    assert f"cancelled by {me}: epoch 1" in cli("show", 1).stdout
    assert [run["id"] for run in cli.json("runs", "--actor", getpass.getuser())["runs"]] == [1]
    assert cli.json("runs", "--actor", "nobody")["runs"] == []
    with redis.Redis.from_url(redis_url) as client:
        assert b"1:3" in client.zrange("kidney_genetics_tasks", 0, -1)


def test_runs_and_a_run_are_shown(cli, genes, query) -> None:
    cli("annotate", "ensembl")
    query("UPDATE run_sources SET total = 2, done = 2, found = 1, unknown = 1, requests = 9,"
          " rate_limited = 4, budget_seconds = 75, bytes_received = 3200000")  # fmt: skip
    query(
        "INSERT INTO annotations (gene_id, source, state, checked_state, checked_run_id, reason)"
        " SELECT id, 'ensembl', 'unknown', 'unknown', 1, 'the [answer] was cut' FROM genes LIMIT 1"
    )
    query("UPDATE runs SET state = 'failed', error = 'Oops [/] no', finished_at = now()")
    listed = cli("runs").stdout
    assert "failed" in listed
    assert "2 of 2" in listed
    shown = cli("show", 1).stdout
    for said in ("run 1 (ensembl, smart) failed", "Oops [/] no", "the [answer] was cut", "created"):
        assert said in shown
    (asked,) = (line for line in shown.splitlines() if line.endswith("MB"))
    assert asked.split() == ["ensembl", "9", "4", "1", "min", "15", "s", "3", "MB"]
    run = cli.json("show", 1)
    assert run["unknown_reasons"][0]["example"] == "PKD1"
    assert [event["event"] for event in run["events"]] == ["created"]
    assert cli.json("runs")["runs"][0] == {
        key: value for key, value in run.items() if key not in {"events", "unknown_reasons"}
    }


def test_the_log_of_an_attempt_is_shown_and_steers_no_terminal(cli, genes, query) -> None:
    cli("annotate", "ensembl")
    assert "no log lines of run 1 are stored" in cli("log", 1).stderr
    query(
        "INSERT INTO attempt_logs (run_id, epoch, number, at, level, text)"
        " SELECT 1, epoch, 7, '2026-11-24T12:00:00Z', 'info', E'\x1b[2J epoch ' || epoch"
        " FROM generate_series(1, 2) epoch"
    )

    latest, first = cli("log", 1), cli("log", 1, "--epoch", 1)

    assert "info     \\x1b[2J epoch 2" in latest.stdout
    assert "6 earlier lines are not stored" in latest.stderr
    assert "for others use --epoch: 1" in latest.stderr
    assert "epoch 1" in first.stdout
    assert cli.json("log", 1)["attempt"]["epoch"] == 2
    assert cli("log", 1, "--epoch", 9).exit_code == 1


@pytest.mark.parametrize("at", ["33715-01-01", "-infinity"])
def test_a_run_parked_for_ever_breaks_no_command_and_can_be_tried_again(
    cli, genes, query, at
) -> None:
    cli("annotate", "ensembl")
    query("UPDATE runs SET waiting_for = 'ncbi', not_before = %s, created_at = %s", at, at)
    query("UPDATE run_events SET at = %s", at)
    for command in (("runs",), ("show", 1), ("status",)):
        assert cli(*command).exit_code == 0
        assert cli.json(*command)
    assert cli("cancel", 1).exit_code == 0
    assert query("SELECT not_before FROM runs")[0]["not_before"] is None


def test_an_empty_list_is_no_error(cli) -> None:
    result = cli("runs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert cli.json("runs") == {"runs": [], "next_before": None}
    assert cli.json("status")["workers"] == []


def test_status_shows_what_each_run_waits_for(cli, genes, query) -> None:
    cli("annotate", "ensembl")
    cli("annotate", "hgnc")
    query("UPDATE runs SET waiting_for = 'rest.ensembl.org' WHERE id = 1")
    shown = cli("status").stdout
    assert "2 runs are queued" in shown
    assert "rest.ensembl.org" in shown
    assert "a free worker" in shown


def test_a_run_is_queued_without_redis(cli, genes) -> None:
    away = SecretStr("redis://127.0.0.1:1")
    cli.settings = cli.settings.model_copy(update={"redis_url": away})
    assert cli.json("annotate", "ensembl")["state"] == "queued"
    assert cli("status").exit_code == 0


def test_the_database_can_be_migrated_twice(cli, empty_database_url) -> None:
    empty = SecretStr(empty_database_url)
    cli.settings = cli.settings.model_copy(update={"database_url": empty})
    for _ in range(2):
        result = cli("migrate")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("the database is at version ")
    assert cli("runs").exit_code == 0


def test_every_command_reports_a_database_that_is_not_migrated(cli, empty_database_url) -> None:
    empty = SecretStr(empty_database_url)
    cli.settings = cli.settings.model_copy(update={"database_url": empty})
    for command in COMMANDS:
        result = cli(*command.split())
        assert result.exit_code == 1, command
        assert "Error: the database is not migrated" in result.stderr
        assert "make migrate" in result.stderr


def test_every_command_reports_an_unreachable_database(cli) -> None:
    url = make_url(cli.settings.database_url.get_secret_value()).set(port=1, password="hunter2-x")
    away = SecretStr(url.render_as_string(hide_password=False))
    cli.settings = cli.settings.model_copy(update={"database_url": away})
    for command in [*COMMANDS, "migrate"]:
        result = cli(*command.split())
        assert result.exit_code == 1, command
        assert "Error: PostgreSQL cannot be used at 127.0.0.1:1/" in result.stderr
        assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("wrong", "said", "remedy"),
    [
        ({"password": "hunter2-x"}, "refuses the user or the password", "correct DATABASE_URL"),
        ({"username": "nobody"}, "refuses the user or the password", "correct DATABASE_URL"),
        ({"database": "no such"}, "has no such database", "kidney_genetics 'no such'`, then"),
        ({"host": "nohost.invalid"}, "cannot be used", "make hybrid-up"),
    ],
)
def test_each_way_of_not_reaching_the_database_has_its_remedy(cli, wrong, said, remedy) -> None:
    url = make_url(cli.settings.database_url.get_secret_value()).set(**wrong)
    secret = SecretStr(url.render_as_string(hide_password=False))
    cli.settings = cli.settings.model_copy(update={"database_url": secret})
    result = cli("runs")
    assert result.exit_code == 1
    assert said in result.stderr
    assert remedy in result.stderr
    assert "hunter2" not in result.output


def test_a_run_with_nothing_due_is_reported_as_such(cli, genes, query) -> None:
    cli("annotate", "ensembl")
    assert "fresh" not in cli("show", 1).stdout
    query("UPDATE run_sources SET state = 'succeeded', total = 0, active = false")
    query("UPDATE runs SET state = 'succeeded', finished_at = now()")
    assert "nothing new; to refresh all annotations anyway: just annotate ensembl --mode full" in (
        cli("show", 1).stdout
    )
    query("UPDATE runs SET mode = 'full'")
    assert "fresh" not in cli("show", 1).stdout


def test_every_command_explains_itself(cli) -> None:
    listed = cli("--help").stdout
    for command in [*COMMANDS, "migrate"]:
        name = command.split()[0]
        assert name in listed
        assert cli(name, "--help").exit_code == 0
    assert "hgnc, ensembl, clinvar" in cli("annotate", "--help").stdout


def test_json_is_all_that_is_on_stdout(cli, genes) -> None:
    result = cli("annotate", "ensembl", "--json")
    assert json.loads(result.stdout)["state"] == "queued"
    assert "make worker" in result.stderr


HOSTILE = "\x1b]0;title\x07\x9b2J\u202e"
SHOWN = r"\x1b]0;title\x07\x9b2J\u202e"


def test_external_text_does_not_control_the_terminal(cli, genes, query) -> None:
    cli("annotate", "ensembl")
    query(
        "WITH said (said) AS (VALUES (%s)),"
        " run AS (UPDATE runs SET state = 'failed', error = said, waiting_for = said,"
        " finished_at = now() FROM said RETURNING id),"
        " event AS (INSERT INTO run_events (run_id, epoch, event, detail)"
        " SELECT id, 1, 'attempt failed', jsonb_build_object('reason', said) FROM run, said),"
        " progress AS (UPDATE run_sources SET unknown = 3, done = 3)"
        " INSERT INTO annotations (gene_id, source, state, reason, checked_state, checked_run_id,"
        " checked_at) SELECT genes.id, 'ensembl', 'unknown', said, 'unknown', run.id, now()"
        " FROM genes, run, said",
        HOSTILE,
    )
    text = cli("show", 1).output
    assert text.count(SHOWN) == 4, text
    whole = "".join(cli(*each).output for each in (["runs"], ["status"], ["show", 1, "--json"]))
    assert not any(char in text + whole for char in "\x1b\x07\x9b\u202e")
    assert cli.json("show", 1)["error"] == HOSTILE


def test_genes_are_found_by_a_part_of_a_name(cli, genes, query) -> None:
    query("INSERT INTO gene_names VALUES ('HGNC:9008', 'alias', 'TRPP1')")

    begun = cli("search", "trp")
    assert (begun.exit_code, begun.stderr) == (0, "1 gene has a name that begins with trp.\n")
    assert "PKD1 (HGNC:9008)" in begun.stdout
    assert "alias TRPP1" in begun.stdout
    assert cli("search", "5310").stderr == "5310: Entrez id of PKD1 (HGNC:9008).\n"

    near = cli("search", "PKD8")
    assert (near.exit_code, "PKD1" in near.stdout) == (1, True)
    assert cli.json("search", "trp")["matches"][0]["gene"]["symbol"] == "PKD1"


def test_names_are_resolved_and_an_ambiguous_one_is_no_success(cli, genes, query) -> None:
    query(
        "INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:9008', 'previous', 'PBP'),"
        " ('HGNC:9008', 'alias', 'BOTH'), ('HGNC:12403', 'alias', 'BOTH'),"
        " ('HGNC:2', 'symbol', 'OTHER')"
    )
    fine = cli("resolve", "pkd1", "PBP", "OTHER")
    assert fine.exit_code == 0
    lines = [line.split("  ") for line in fine.stdout.splitlines()]
    assert [[part.strip() for part in line if part.strip()] for line in lines[1:]] == [
        ["pkd1", "approved symbol", "PKD1 (HGNC:9008)"],
        ["PBP", "previous symbol", "PKD1 (HGNC:9008)"],
        ["OTHER", "approved symbol", "OTHER (HGNC:2)", "not in this database"],
    ]
    ambiguous = cli("resolve", "BOTH", "NOSUCH")
    assert ambiguous.exit_code == 1
    assert "PKD1 (HGNC:9008), TTN (HGNC:12403)" in ambiguous.stdout
    assert "no gene has this name" in ambiguous.stdout
    assert cli.json("resolve", "PBP")["names"][0]["gene"]["symbol"] == "PKD1"


def test_a_gene_is_shown_by_any_of_its_names_as_the_api_has_it(cli, genes, query) -> None:
    query("INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:9008', 'alias', 'PBP')")
    query(
        "INSERT INTO annotations (gene_id, source, state, data, release, checked_state, checked_at)"
        " SELECT id, 'pubmed', 'found', '{\"articles\": 5}', '2026-11', 'found', now()"
        " FROM genes WHERE symbol = 'PKD1'"
    )
    shown = cli("gene", "PBP").stdout.splitlines()
    assert shown[0] == "PBP: alias of PKD1 (HGNC:9008)"
    assert shown[2].split()[:3] == ["pubmed", "found", "2026-11"]
    found = cli.json("gene", "PKD1", "--sources", "pubmed")
    assert found["annotations"]["pubmed"]["data"] == {"articles": 5}
    assert "did you mean PKD1?" in cli("gene", "PKD11").stderr
    assert cli("gene", "PKD1", "--as-of", "2020-01-01").exit_code == 1


def test_the_changes_of_each_version_of_an_answer_are_listed(cli, genes, query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, data, release, checked_state, checked_at,"
        " valid_from) SELECT id, 'pubmed', 'found', '{\"articles\": 5}', '2', 'found', now(),"
        " '2026-02-01Z' FROM genes WHERE symbol = 'PKD1'"
    )
    query(
        "INSERT INTO annotation_history (gene_id, source, state, release, valid_from, valid_to,"
        " run_id, origin_ids, origin_since) SELECT id, 'pubmed', 'absent', '1', '2026-01-01Z',"
        " '2026-02-01Z', 7, '{}', '{}' FROM genes WHERE symbol = 'PKD1'"
    )
    shown = cli("gene", "PKD1", "--history").stdout
    assert "absent -> found; articles none -> 5" in shown
    assert "first answer, absent" in shown
    newest, oldest = cli.json("gene", "PKD1", "--history")
    assert (newest["release"], oldest["text"]) == ("2", "first answer, absent")


def test_one_source_is_shown_with_its_licence_and_its_due_genes(cli, genes) -> None:
    found = cli.json("sources", "hgnc")

    said = " ".join(cli("sources", "hgnc").stdout.split())
    assert found["due"] == found["missing"] == 3
    assert f"licence {found['licence']}" in said
    assert "due 3" in said
    unknown = cli("sources", "hgncc")
    assert unknown.exit_code == 1
    assert "did you mean hgnc?" in unknown.output


def test_the_status_shows_the_request_budgets_on_request(cli) -> None:
    assert "no request budget is in use" in cli("status", "--budgets").stdout
    found = cli.json("status", "--budgets")
    assert {each["used"] for each in found["budgets"]} == {0}
    assert "budgets" not in cli.json("status")
