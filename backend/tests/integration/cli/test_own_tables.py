import openpyxl


def test_a_table_is_added_as_a_source_and_removed_again(cli, genes, query, tmp_path) -> None:
    path = tmp_path / "panels.csv"
    path.write_text("gene,panel\nPKD1,kidney\nTTN,muscle\nNOSUCH,none\n")
    added = cli("source-add", "panels2026", path, "--title", "Our panels", "--by", "ada")
    assert added.exit_code == 0, added.output
    assert "line 4: NOSUCH: unknown name" in added.stdout
    assert (
        "was added: 3 rows, 2 of them about genes of this database, 0 about other genes, 1 without"
        " a gene\n"
    ) in added.stdout
    assert "just annotate panels2026" in added.stderr
    assert cli.json("source-add", "panels2026", path, "--title", "Our panels")["unchanged"]
    assert query("SELECT title, added_by FROM own_tables") == [
        {"title": "Our panels", "added_by": "ada"}
    ]
    assert "panels2026" in cli("sources").stdout
    refused = cli("annotate", "panel2026")
    assert refused.exit_code == 2
    assert "did you mean panels2026?" in refused.stderr
    assert cli.json("annotate", "panels2026")["state"] == "queued"
    covered = cli("source-remove", "panels2026")
    assert covered.exit_code == 1
    assert "just cancel 1" in covered.stderr
    assert cli("cancel", 1).exit_code == 0
    removed = cli("source-remove", "panels2026")
    assert removed.exit_code == 0
    assert "just source-remove panels2026 --forget" in removed.stderr
    assert cli("source-remove", "nosuch").exit_code == 1
    assert cli("source-remove", "clinvar").exit_code == 2


def test_a_workbook_is_added_and_its_other_sheets_are_named(cli, genes, tmp_path) -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in (["Gene symbol", "score"], ["PKD1", 1.5], ["TTN", None]):
        book.active.append(row)
    book.create_sheet("Notes")
    path = tmp_path / "scores.xlsx"
    book.save(path)
    added = cli("source-add", "scores", path)
    assert added.exit_code == 0, added.output
    assert "only the first sheet was read; other sheets: Notes" in added.stderr


def test_an_invalid_schedule_is_refused_with_a_command(cli, genes, tmp_path) -> None:
    path = tmp_path / "panels.csv"
    path.write_text("gene,panel\nPKD1,kidney\n")
    built_in = cli("source-add", "clinvar", path)
    assert built_in.exit_code == 2
    assert "just source-add own-clinvar FILE" in built_in.stderr
    assert cli("source-add", "panels", tmp_path / "none.csv").exit_code == 2
    assert cli("source-add", "panels", path, "--title", "").exit_code == 2
