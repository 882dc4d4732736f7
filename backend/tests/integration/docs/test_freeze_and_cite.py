import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from app.annotation.settings import Settings
from app.cli import session
from app.cli.group import main
from tests.conftest import REPOSITORY
from tests.integration.conftest import Query
from tests.integration.docs.fences import fences

PAGE = "docs/how-to/freeze-and-cite.md"


@pytest.mark.usefixtures("genes", "own_logging")
def test_the_commands_of_the_page_work_in_order(
    settings: Settings, query: Query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "load_settings", lambda *_, **__: settings)
    monkeypatch.chdir(tmp_path)
    query(
        "INSERT INTO annotations (gene_id, source, state, data, checked_state)"
        " SELECT id, 'clinvar', 'found', '{}', 'found' FROM genes"
    )
    said = {}
    for fence in fences((REPOSITORY / PAGE).read_text(encoding="utf-8"), PAGE):
        for line in fence.text.splitlines() if fence.language == "sh" else ():
            if (typed := re.fullmatch(r"just ([^>]*?)(?: > (\S+))?", line)) is not None:
                done = CliRunner().invoke(main, shlex.split(typed[1]))
                assert done.exit_code == 0, f"{line}\n{done.output}"
                said[line] = done.stdout
                if typed[2]:
                    (tmp_path / typed[2]).write_text(done.stdout)
    assert len(said) == 9
    (printed,) = (said[line] for line in said if "--note" in line and "snapshot" in line)
    assert re.fullmatch(r"snapshot paper-2026 was taken: .*, 3 genes, 1 source\n", printed)
    assert "PKD1" in (tmp_path / "paper-2026.tsv").read_text()
    cited = yaml.safe_load((tmp_path / "CITATION.cff").read_text())
    assert cited["references"][0]["title"] == "ClinVar"
