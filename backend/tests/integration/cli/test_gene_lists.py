"""Gene lists as people have them, against rows of HGNC's list that trap careless readers."""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

GENES = """\
HGNC:9008,PKD1,,,5310,ENSG00000008710
HGNC:9009,PKD2,PC2,,5311,ENSG00000118762
HGNC:12559,UMOD,,,7369,ENSG00000169344
HGNC:12811,XK,,NA,7504,ENSG00000047597
HGNC:10583,SCN11A,NaN,,11280,ENSG00000168356
HGNC:1,TRAP,225|3635|52|5310,,901,ENSG00000000901
HGNC:66,ABCD2,,,225,ENSG00000173208
HGNC:6079,INPP5D,,,3635,ENSG00000168918
HGNC:122,ACP1,,,52,ENSG00000143727
"""
"""HGNC id, symbol, aliases, previous symbols, Entrez id, Ensembl id."""

COLUMNS = (
    "hgnc_id", "symbol", "alias_symbol", "prev_symbol", "entrez_id", "ensembl_gene_id", "status",
    "name", "locus_group", "locus_type", "location", "omim_id", "uniprot_ids", "refseq_accession",
    "mane_select", "gene_group",
)  # fmt: skip
ALIKE = ("Approved", "a name", "protein-coding gene", "gene with protein product", *[""] * 6)
COMPLETE_SET = "".join(
    "\t".join(cells) + "\n"
    for cells in (COLUMNS, *((*gene.split(","), *ALIKE) for gene in GENES.splitlines()))
)

WITHDRAWN = (
    "HGNC_ID\tSTATUS\tWITHDRAWN_SYMBOL\tMERGED_INTO_REPORT(S) (i.e HGNC_ID|SYMBOL|STATUS)\n"
    "HGNC:7620\tEntry Withdrawn\tNA\t\n"
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hgnc(tmp_path: Path) -> Iterator[str]:
    """The address of HGNC's files."""
    folder = tmp_path / "served" / "tsv" / "tsv"
    folder.mkdir(parents=True)
    (folder / "hgnc_complete_set.txt").write_text(COMPLETE_SET)
    (folder / "withdrawn.txt").write_text(WITHDRAWN)
    handler = partial(_Quiet, directory=tmp_path / "served")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


Import = Callable[..., Any]


@pytest.fixture
def imported(cli, hgnc: str, query, tmp_path: Path) -> Import:
    """Imports a list; gives the report with the stored symbols."""
    few = {"hgnc_files_url": hgnc, "complete_share": 0.0001}
    cli.settings = cli.settings.model_copy(update=few)

    def do(content: str | bytes, name: str = "genes.csv") -> Any:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        result = cli("genes-import", path, "--json")
        assert result.stdout, result.output
        report = json.loads(result.stdout)
        stored = query("SELECT symbol FROM genes ORDER BY symbol")
        report["symbols"] = [row["symbol"] for row in stored]
        return report

    return do


def lines(remarks: list[dict[str, Any]]) -> dict[int, str]:
    return {each["line"]: each["kind"] for each in remarks}


MISSING = ["NA", "na", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "-", "."]


def test_missing_values_import_no_gene(imported: Import) -> None:
    report = imported("symbol,note\n" + "".join(f"{cell},x\n" for cell in ["PKD1", *MISSING]))
    assert report["symbols"] == ["PKD1"]
    assert lines(report["problems"]) == dict.fromkeys(range(3, 3 + len(MISSING)), "empty")
    report = imported("symbol,hgnc_id\n" + "".join(f"{cell},{cell}\n" for cell in MISSING))
    assert set(lines(report["problems"]).values()) == {"empty"}


def test_a_missing_id_leaves_the_row_to_its_symbol(imported: Import) -> None:
    rows = "".join(f"UMOD,{cell}\n" for cell in MISSING)
    report = imported(f"symbol,hgnc_id\nPKD1,HGNC:9008\n{rows}")
    assert report["symbols"] == ["PKD1", "UMOD"]
    assert report["problems"] == []
    assert lines(report["notes"]) == dict.fromkeys(range(3, 3 + len(MISSING)), "unread id")


def test_an_id_is_read_however_programs_write_it(imported: Import) -> None:
    forms = ["9008", "9008.0", "HGNC:9008", "hgnc: 9008", "HGNC:HGNC:9008", "HGNC:9008.0"]
    report = imported("hgnc_id,note\n" + "".join(f"{form},x\n" for form in forms))
    assert (report["symbols"], report["problems"]) == (["PKD1"], [])
    assert report["duplicates"] == len(forms) - 1


def test_a_number_with_groups_of_digits_is_no_id(imported: Import) -> None:
    report = imported("symbol,entrez_id\nUMOD,100.000\nPKD1,5310\n")
    assert report["symbols"] == ["PKD1", "UMOD"]
    assert lines(report["notes"]) == {2: "unread id"}


def test_an_id_that_cannot_be_read_leaves_the_row_to_its_symbol(imported: Import) -> None:
    report = imported("symbol,hgnc_id\nUMOD,not found\nPKD1,HGNC:9008\n")
    assert report["symbols"] == ["PKD1", "UMOD"]
    assert lines(report["notes"]) == {2: "unread id"}
    assert report["columns"][1] == {
        "column": "hgnc_id",
        "read_as": "HGNC ids",
        "rows": 1,
        "problems": 1,
    }


def test_an_id_that_hgnc_does_not_have_is_no_reason_to_believe_the_symbol(imported: Import) -> None:
    report = imported("symbol,hgnc_id\nUMOD,HGNC:99999999\nPKD1,HGNC:9008\n")
    assert (report["symbols"], lines(report["problems"])) == (["PKD1"], {2: "unknown"})


def test_symbols_in_a_column_hgnc_beside_full_names_in_a_column_gene_name(
    imported: Import,
) -> None:
    report = imported("HGNC,gene_name\nPKD1,polycystin 1\nUMOD,uromodulin\n")
    assert (report["symbols"], report["problems"]) == (["PKD1", "UMOD"], [])
    assert {each["column"]: each["read_as"] for each in report["columns"]} == {
        "HGNC": "symbols",
        "gene_name": None,
    }


def test_a_column_of_entrez_ids_under_the_name_of_symbols_is_read_as_such(
    imported: Import,
) -> None:
    for content in ("gene\n225\n3635\n52\n", "225\n3635\n52\n"):
        report = imported(content)
        assert report["symbols"] == ["ABCD2", "ACP1", "INPP5D"]
        (column,) = report["columns"]
        assert (column["read_as"], column["rows"]) == ("Entrez ids", 3)


def test_a_column_of_ensembl_ids_under_the_name_of_symbols_is_read_as_such(
    imported: Import,
) -> None:
    report = imported("gene\nENSG00000008710\nENSG00000118762.12\nENSG00000999999\n")
    assert report["symbols"] == ["PKD1", "PKD2"]
    assert report["columns"][0]["read_as"] == "Ensembl ids"
    assert lines(report["problems"]) == {4: "unknown"}


def test_a_number_among_symbols_is_a_problem(imported: Import) -> None:
    for content in ("symbol\nPKD1\n225\n", "PKD1\n\n225\n", "symbol\nPKD1\n225.0\n"):
        report = imported(content)
        assert report["symbols"] == ["PKD1"]
        assert list(lines(report["problems"]).values()) == ["number"]


def test_a_single_number_is_a_problem(imported: Import) -> None:
    assert lines(imported("symbol\n225\n")["problems"]) == {2: "number"}


def test_a_column_of_entrez_ids_beside_symbols_is_read_and_counts(imported: Import) -> None:
    report = imported("symbol,entrez_id\nPKD1,5310.0\nPKD1,5311\nUMOD,NA\nUMOD,1e+05\n")
    assert report["symbols"] == ["PKD1", "PKD2", "UMOD"]
    assert lines(report["notes"]) == {3: "other symbol", 4: "unread id", 5: "unknown id"}


def test_invisible_characters_are_removed_from_symbols(imported: Import) -> None:
    report = imported("symbol\n\u200bPKD1\n\ufeffPKD2\nUM\u00adOD\u200d\nX\u2060K\u00a0\n")
    assert (report["symbols"], report["problems"]) == (["PKD1", "PKD2", "UMOD", "XK"], [])


def test_comments_before_the_header_are_skipped(imported: Import) -> None:
    report = imported("# genes of the kidney, 2024\n#\n#symbol\thgnc_id\nPKD1\tNA\n", "g.tsv")
    assert report["symbols"] == ["PKD1"]
    report = imported("# genes\n# of the kidney\nnote\tsymbol\nx\tUMOD\n", "g.tsv")
    assert (report["symbols"], report["problems"]) == (["PKD1", "UMOD"], [])


def test_a_quoted_header_with_a_comma_in_a_file_of_semicolons(imported: Import) -> None:
    report = imported('"Name, long";"HGNC ID"\r\nx;HGNC:9008\r\n')
    assert report["symbols"] == ["PKD1"]
    report = imported('Symbol;"Bemerkung, kurz"\r\nUMOD;x\r\n')
    assert report["symbols"] == ["PKD1", "UMOD"]


def test_the_interpretation_of_each_name_is_reported(cli, imported: Import, tmp_path: Path) -> None:
    imported("gene\n225\n3635\n52\n")
    result = cli("genes-import", tmp_path / "genes.csv")
    assert "column gene: Entrez ids in 3 rows" in result.stderr


def test_a_cell_does_not_steer_the_terminal(cli, imported: Import, tmp_path: Path) -> None:
    imported("symbol,note\nPKD1,x\n\x1b]0;title\x07\x9b2J,y\n")
    result = cli("genes-import", tmp_path / "genes.csv")
    assert r"line 3: skipped: \x1b]0;title\x07\x9b2J: unknown" in result.stdout
    (tmp_path / "genes.csv").write_text('\x1b]0;title\x07,b\nx,"\n')
    result = cli("genes-import", tmp_path / "genes.csv")
    assert result.exit_code == 2
    assert not any(char in result.output for char in "\x1b\x07\x9b")
