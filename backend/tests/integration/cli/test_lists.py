"""Gene lists on the command line."""


def test_a_list_is_added_listed_used_and_removed(cli, genes, query, tmp_path) -> None:
    query(
        "INSERT INTO gene_names (hgnc_id, kind, name) VALUES ('HGNC:12403', 'previous', 'CMD1G'),"
        " ('HGNC:30', 'symbol', 'AWAY')"
    )
    path = tmp_path / "panel.csv"
    path.write_text("symbol,score\nPKD1,1\nCMD1G,2\nNOPE,3\nAWAY,4\npkd1,5\n")
    added = cli("list-add", "kidney", path, "--note", "cysts", "--by", "ada")
    assert added.exit_code == 0, added.output
    assert added.stdout.splitlines() == [
        "line 3: listed: CMD1G: previous symbol: a previous symbol of TTN (HGNC:12403)",
        "line 4: left out: NOPE: unknown: no gene is known as NOPE",
        "not in the database: AWAY (HGNC:30)",
        "kidney was added: 3 genes, 3 added, 0 removed, 1 duplicate rows, 1 left out",
    ]
    assert "column symbol: symbols in 5 rows" in added.stderr
    assert "just genes-import FILE" in added.stderr
    again = cli.json("list-add", "kidney", path)
    assert (again["created"], again["changed"]) == (False, False)
    assert [each["symbol"] for each in again["not_in_database"]] == ["AWAY"]

    (listed,) = cli.json("lists")
    assert [listed[key] for key in ("name", "genes", "in_database", "by", "file_name")] == [
        "kidney", 3, 2, "ada", "panel.csv",
    ]  # fmt: skip
    assert "kidney" in cli("lists").stdout

    run = cli.json("annotate", "clinvar", "--list", "kidney")
    assert query("SELECT genes FROM runs WHERE id = %s", run["id"]) == [
        {"genes": ["HGNC:12403", "HGNC:9008"]}
    ]
    assert cli("list-remove", "kidney").stdout == "the list kidney was removed\n"
    assert "just list-add NAME FILE" in cli("lists").stderr


def test_wrong_lists_are_refused_with_a_command(cli, genes, tmp_path) -> None:
    path = tmp_path / "panel.txt"
    path.write_text("PKD1\n")
    assert cli("list-add", "kidney", path).exit_code == 0
    path.write_text("NOPE\nNADA\n")
    empty = cli("list-add", "kidney", path)
    assert empty.exit_code == 2
    assert "line 2: left out: NADA: unknown" in empty.stdout
    assert "none of the 2 rows names a single gene" in empty.stderr
    assert cli.json("lists")[0]["genes"] == 1

    assert cli("list-add", "Kidney", path).exit_code == 2
    assert cli("list-add", "kidney", tmp_path / "none.txt").exit_code == 2
    unknown = cli("annotate", "--list", "kidny")
    assert unknown.exit_code == 2
    assert "did you mean kidney?" in unknown.stderr
    assert cli("list-remove", "kidny").exit_code == 1
    both = cli("annotate", "--list", "kidney", "--genes", "PKD1")
    assert both.exit_code == 2
    assert "one of them" in both.stderr
