"""The blocks of the guide to R and pandas do what they say, with files of a real export."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.timing import WAIT, scaled
from tests.conftest import REPOSITORY
from tests.integration.pipeline.conftest import Annotator
from tests.integration.pipeline.test_export import exported

GUIDE = REPOSITORY / "docs" / "how-to" / "use-in-r-and-pandas.md"
FILES = {
    "genes.parquet": {"format": "parquet"},
    "genes.tsv": {"format": "tsv"},
    "panels.tsv": {"format": "tsv", "long": "panelapp.panels"},
}
RSCRIPT = shutil.which("Rscript")
MISSING = re.compile(r"there is no package called .(\w+)")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=scaled(WAIT)
    )


@pytest.fixture
async def files(annotator: Annotator, tmp_path: Path) -> Path:
    """A folder with the files that the guide begins with."""
    await annotator.run("clinvar", "gtex", "panelapp")
    for name, asked in FILES.items():
        options: dict[str, Any] = dict(asked)
        data, _, _ = await exported(annotator, tmp_path, **options)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_the_guide_begins_with_these_files() -> None:
    made = re.findall(r"just export .*--output (\S+)", GUIDE.read_text())
    assert made == list(FILES)


@pytest.mark.pages
def test_the_python_blocks_work_in_order(files: Path) -> None:
    script = files / "guide.py"
    script.write_text("\n".join(blocks("python")))
    done = run([sys.executable, "-W", "error", str(script)], files)
    assert done.returncode == 0, done.stderr
    assert "found" in done.stdout
    assert "cff-version" in done.stdout
    assert "TPM" in done.stdout


@pytest.mark.pages
@pytest.mark.skipif(RSCRIPT is None, reason="Rscript is not installed")
@pytest.mark.parametrize("block", blocks("r"), ids=["tsv", "long form", "parquet"])
def test_the_blocks_of_r_work(block: str, files: Path) -> None:
    assert RSCRIPT is not None
    (files / "guide.R").write_text(block)
    done = run([RSCRIPT, "--vanilla", "guide.R"], files)
    if missing := MISSING.search(done.stderr):
        pytest.skip(f"the package {missing[1]} of R is not installed")
    assert done.returncode == 0, done.stderr
    assert done.stdout
