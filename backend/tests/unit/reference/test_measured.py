from reference import measured


def test_the_table_of_a_measured_page_comes_with_the_note_below_it(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\nWords.\n\n| a | b |\n| --- | --- |\n| 1 | 2 * |\n\n\\* a note\n\nMeasured.\n"
    )
    assert measured.table(page) == "| a | b |\n| --- | --- |\n| 1 | 2 * |\n\n\\* a note"
