import yaml


def test_a_snapshot_is_created_listed_shown_cited_and_deleted(cli, genes) -> None:
    assert "just snapshot NAME" in cli("snapshot", "--list").stderr
    taken = cli("snapshot", "paper", "--note", "as submitted", "--by", "ada")
    assert taken.exit_code == 0, taken.output
    assert taken.stdout.startswith("snapshot paper was taken: ")
    assert taken.stdout.endswith(", 3 genes, 0 sources\n")

    listed = cli("snapshot", "--list").stdout
    assert "as submitted" in listed
    assert cli.json("snapshot", "--list")[0]["name"] == "paper"
    shown = cli("snapshot", "paper", "--show")
    assert "by ada\nnote: as submitted\n" in shown.stdout
    assert cli.json("snapshot", "paper", "--show")["manifest"]["genes"] == 3
    cited = cli("snapshot", "paper", "--cite").stdout
    assert yaml.safe_load(cited)["title"].endswith("snapshot paper")

    kept = cli("snapshot", "paper", "--delete")
    assert kept.exit_code == 2
    assert "just snapshot paper --delete --force" in kept.stderr
    assert cli("snapshot", "paper", "--delete", "--force").exit_code == 0
    assert cli.json("snapshot", "--list") == []


def test_a_snapshot_of_the_same_name_is_refused(cli) -> None:
    assert cli("snapshot", "paper").exit_code == 0
    again = cli("snapshot", "paper")
    assert again.exit_code == 1
    assert "just snapshot paper --show" in again.stderr


def test_wrong_uses_are_refused_with_the_allowed_values(cli) -> None:
    for words in (
        (),
        ("--show",),
        ("--list", "paper"),
        ("paper", "--force"),
        ("paper", "--show", "--note", "x"),
        ("2026-03-31",),
        ("paper", "--by", ""),
        # Müller in Latin-1
        ("paper", "--by", "M\udcfcller"),
        ("paper", "--note", "M\udcfcller"),
    ):
        refused = cli("snapshot", *words)
        assert refused.exit_code == 2, words
        assert "allowed" in refused.stderr
    for name in ("papre", "m\udcfcller"):
        missing = cli("snapshot", name, "--show")
        assert missing.exit_code == 1
        assert f"there is no snapshot {name!r}" in missing.stderr
