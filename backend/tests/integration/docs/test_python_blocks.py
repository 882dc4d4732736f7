import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.timing import WAIT, scaled
from tests.conftest import REPOSITORY
from tests.integration.docs.fences import Fence, fences

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]

# an error is shown with the page's own lines
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
    return [each for each in found if each.language in {"python", "py", "python3"}]


WITH_PYTHON = {str(page.relative_to(REPOSITORY)): python_blocks(page) for page in PAGES}


@pytest.mark.parametrize("page", [name for name, blocks in WITH_PYTHON.items() if blocks])
def test_the_python_of_a_page_runs(page: str) -> None:
    blocks = [(each.line, each.text) for each in WITH_PYTHON[page]]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _DRIVER],
        cwd=REPOSITORY / "backend",
        input=json.dumps([str(REPOSITORY / page), blocks]),
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(WAIT),
    )
    assert done.returncode == 0, done.stderr
    # a block may not leave, and with it what comes after
    assert done.stdout.endswith("to the end\n")
