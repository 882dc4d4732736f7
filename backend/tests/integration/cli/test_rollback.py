def test_a_source_is_rolled_back_and_forward(cli, genes, query) -> None:
    query(
        "INSERT INTO annotations (gene_id, source, state, data, checked_state)"
        " VALUES (1, 'hgnc', 'found', '{}', 'found'), (2, 'hgnc', 'absent', NULL, 'absent')"
    )
    assert cli("snapshot", "before").exit_code == 0
    dry = cli("rollback", "hgnc", "--to", "2026-01-01", "--dry-run", "--by", "ada")
    assert dry.exit_code == 0, dry.output
    assert "2 genes get another answer, of which 2 become unknown\n" in dry.stdout
    assert "  C1orf112: absent -> unknown\n  PKD1: found -> unknown\n" in dry.stdout
    assert query("SELECT state FROM annotations ORDER BY gene_id")[0] == {"state": "found"}

    assert cli("rollback", "hgnc", "--to", "2026-01-01", "--note", "wrong").exit_code == 0
    assert query("SELECT DISTINCT state FROM annotations") == [{"state": "unknown"}]
    changes = cli("changes", "--from", "before").stdout
    assert "C1orf112 hgnc: absent -> unknown" in changes
    assert "by rollback 1" in changes
    forward = cli.json("rollback", "hgnc", "--to", "before")
    assert (forward["genes"], forward["snapshot"]) == (2, "before")
    assert query("SELECT state FROM annotations ORDER BY gene_id")[0] == {"state": "found"}
    assert "nothing changes" in cli("rollback", "hgnc", "--to", "before").stdout


def test_an_impossible_rollback_is_refused_with_a_command(cli, genes) -> None:
    assert cli("rollback", "hgnc").exit_code == 2
    assert cli("rollback", "hgnc", "--to", "nosuch").exit_code == 2
    assert cli("rollback", "nosuch", "--to", "2026-01-01").exit_code == 1
    assert cli.json("annotate", "hgnc")["state"] == "queued"
    covered = cli("rollback", "hgnc", "--to", "2026-01-01")
    assert covered.exit_code == 1
    assert "just cancel 1" in covered.stderr
