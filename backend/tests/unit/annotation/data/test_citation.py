import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import yaml

from app.annotation.data.citation import citation, paragraph
from app.annotation.data.manifest import Manifest, ManifestRelease, ManifestSource

MANIFEST = Manifest(
    product="0.1.0",
    at=datetime(2026, 3, 31, 18, tzinfo=UTC),
    snapshot="paper",
    genes=20_000,
    sources={
        "clinvar": ManifestSource(
            title="ClinVar",
            licence="public domain",
            licence_url="https://www.ncbi.nlm.nih.gov/clinvar/docs/maintenance_use/",
            attribution='Landrum MJ et al.: "ClinVar"',
            found=9,
            absent=1,
            unknown=0,
            releases=[
                ManifestRelease(release="2026-03-28", genes=7),
                ManifestRelease(release="2026-03-21", genes=3),
            ],
        ),
        "own": ManifestSource(
            title="Ours: # not a comment\n- and no entry",
            licence=None,
            licence_url=None,
            attribution=None,
            found=0,
            absent=0,
            unknown=1,
            releases=[],
        ),
    },
)


def test_a_citation_is_a_valid_citation_file(tmp_path: Path) -> None:
    path = tmp_path / "CITATION.cff"
    path.write_text(citation(MANIFEST), encoding="utf-8")
    schema = "vendor.citation-file-format"
    program = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    empty = MANIFEST.model_copy(update={"snapshot": None, "sources": {}})
    path.write_text(citation(empty), encoding="utf-8")
    assert subprocess.run(program, capture_output=True, check=False).returncode == 0


def test_a_citation_names_each_source_with_its_release_licence_and_attribution() -> None:
    read = yaml.safe_load(citation(MANIFEST))
    assert read["title"].endswith("snapshot paper")
    assert (read["version"], str(read["date-released"])) == ("0.1.0", "2026-03-31")
    clinvar, own = read["references"]
    assert clinvar["version"] == "2026-03-28, 2026-03-21"
    assert clinvar["notes"] == ('Licence: public domain. Attribution: Landrum MJ et al.: "ClinVar"')
    assert clinvar["license-url"].startswith("https://")
    assert own["title"] == "Ours: # not a comment\n- and no entry"
    assert own["notes"] == "Licence: not known to this version."


def test_the_paragraph_to_quote_names_the_snapshot_and_the_releases() -> None:
    assert paragraph(MANIFEST).startswith(
        "Annotations of 20,000 human genes, Kidney genetics 0.1.0, snapshot paper of 2026-03-31"
        " 18:00 UTC. Sources: ClinVar (release 2026-03-28, 2026-03-21); Ours"
    )
