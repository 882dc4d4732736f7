import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.timing import WAIT, scaled
from tests.conftest import REPOSITORY
from tests.integration.docs.fences import Fence, fences

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]

# errors refer to the lines of the page
_DRIVER = """
import json, linecache, sys
page, blocks = json.load(sys.stdin)
with open(page, encoding="utf-8") as file:
    lines = file.readlines()
linecache.cache[page] = (sum(map(len, lines)), None, lines, page)
for line, text in blocks:
    exec(compile("\\n" * line + text, page, "exec"), globals())
print("to the end")
"""


def python_blocks(page: Path) -> list[Fence]:
    name = str(page.relative_to(REPOSITORY))
    found = fences(page.read_text(encoding="utf-8"), name)
    return [each for each in found if each.language in {"python", "py", "python3", "diff"}]


ELSEWHERE = {"docs/how-to/use-in-r-and-pandas.md"}
"""Pages whose blocks need exported files: `pipeline/test_use_in_r_and_pandas.py` runs them."""

WITH_PYTHON = {str(page.relative_to(REPOSITORY)): python_blocks(page) for page in PAGES}


def write(block: Fence, root: Path) -> None:
    """Write a block titled with a file of the project: create the file or append to it."""
    file = root / block.title
    if block.language != "diff":
        assert not file.exists(), f"{block.place}: {block.title} is there already"
        file.write_text(block.text)
        return
    lines = block.text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line.startswith(" "))
    after = "".join(line[1:] for line in lines)
    text = file.read_text()
    assert text.count(before) == 1, f"{block.place}: its context is not in {block.title}"
    file.write_text(text.replace(before, after))


@pytest.mark.parametrize(
    "page",
    [name for name, blocks in WITH_PYTHON.items() if blocks and name not in ELSEWHERE],
)
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    blocks = WITH_PYTHON[page]
    written = [each for each in blocks if each.title.startswith("backend/")]
    root = REPOSITORY
    if written:
        root = tmp_path
        for package in ("app", "sandbox"):
            ignored = shutil.ignore_patterns("__pycache__")
            copied = root / "backend" / package
            shutil.copytree(REPOSITORY / "backend" / package, copied, ignore=ignored)
    for each in written:
        write(each, root)
    run = [(each.line, each.text) for each in blocks if each not in written]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _DRIVER],
        cwd=root / "backend",
        input=json.dumps([str(REPOSITORY / page), run]),
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(WAIT),
    )
    assert done.returncode == 0, done.stderr
    # a block must not exit, because later blocks would not run
    assert done.stdout.endswith("to the end\n")
