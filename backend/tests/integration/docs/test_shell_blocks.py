import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.annotation.settings import load_settings
from harness.timing import slowdown
from sandbox import Options, Sandbox
from tests.conftest import REPOSITORY
from tests.integration.docs.clone import Clone
from tests.integration.docs.fences import Fence, fences
from tests.integration.docs.session import Session
from tests.plant import THREE_SOURCES

ELSEWHERE = {
    "Docker": r"\bdocker\b",
    "Live": r"LIVE=1",
    "Channels": r"\bnotify-test\b",
    "Server": r"\bsudo\b|\bsystemctl\b|\bjournalctl\b|\btimedatectl\b",
}
"""The requirement of a block that is not run here, by the first word of its title."""

ONE_CHECK = re.compile(r"just doctor --only ([a-z0-9.-]+)((?: --fix)?)\n")

needed = [name for name in ("git", "make", "curl") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(needed), reason=f"{needed} are not installed")


def shell_blocks(page: str, section: str = "") -> list[Fence]:
    """Return the blocks of a page, or of one section, that are for a shell."""
    found = fences((REPOSITORY / page).read_text(encoding="utf-8"), page)
    blocks = [each for each in found if each.language == "sh"]
    return [each for each in blocks if not section or section in each.headings]


def runs_elsewhere(fence: Fence) -> bool:
    return fence.title.startswith(tuple(ELSEWHERE))


TUTORIAL = shell_blocks("docs/tutorial.md")
TWENTY_GENES = shell_blocks("docs/tutorial.md", section="2. Twenty real genes")
QUICK_START = shell_blocks("docs/deployment.md", section="Quick start")
TROUBLESHOOTING = shell_blocks("docs/troubleshooting.md")

AWAIT_FULL_RUN = replace(QUICK_START[-1], text="make annotate ARGS='--mode full --wait'\n")
"""Waits for the run that the quick start leaves active. Beside it, on a slow machine, a service may
have too little time to answer the doctor."""


def test_the_settings_of_the_guide_can_be_used_where_little_is_installed(tmp_path: Path) -> None:
    (block,) = (each.text for each in QUICK_START if "NCBI_EMAIL" in each.text)
    (tmp_path / ".env.example").touch()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "test", "cp", "chmod", "cat", "id", "uname"):
        (programs / name).symlink_to(shutil.which(name) or f"/no/{name}")
    (programs / "python3").symlink_to(sys.executable)
    (programs / "make").symlink_to(shutil.which("true") or "/no/true")
    environ = {"PATH": str(programs), "HOME": str(tmp_path)}
    call = ["sh", "-eu", "-c", block]
    done = subprocess.run(
        call, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    settings = load_settings(tmp_path / ".env")
    assert settings.ncbi_email
    assert not settings.ncbi_email.endswith("@")


def test_twenty_genes_are_annotated_with_the_commands_of_the_tutorial(tmp_path: Path) -> None:
    clone = Clone(tmp_path)
    clone.use_installed_packages()
    options = Options(genes=60, limits="off", cache_dir=tmp_path / "sandbox")
    with Sandbox(options) as sandbox:
        env = sandbox.settings | THREE_SOURCES
        said = follow(clone, TWENTY_GENES, tmp_path / "tutorial", env)
    for source in ("hgnc", "ensembl", "clinvar"):
        assert f"{source}: 20 of 20 genes, succeeded" in said


@pytest.mark.pages
@pytest.mark.timeout(900)
def test_every_command_of_the_tutorial_and_the_guides_works_in_a_fresh_clone(
    tmp_path: Path,
) -> None:
    clone = Clone(tmp_path)
    clone.require_packages()
    # enough variants and few enough requests a second that the run is still active when it is
    # observed
    options = Options(genes=60, variants_per_gene=1_000, cache_dir=tmp_path / "sandbox")
    with Sandbox(options) as sandbox:
        # on a slow machine the run must also last longer, because the commands take longer
        rate = {"NCBI_RATE": f"{min(3, 6 / slowdown()):.2f}"}
        env = sandbox.settings | rate | THREE_SOURCES
        said = follow(clone, TUTORIAL, tmp_path / "tutorial", env)
    # the demo
    assert re.search(r"killed worker \d \(pid \d+\) with SIGKILL", said)
    assert re.search(r"recovery time after the kill: \d+\.\d s", said)
    assert "genes lost: 0" in said
    for source in ("hgnc", "ensembl", "clinvar"):
        assert re.search(rf"{source}\W+5,000 ", said)
    # what the reader does with the workers
    for event in ("lost", "taken over", "interrupted"):
        assert f"  {event}: " in said
    assert clone.is_compiled()

    clone.as_after_the_installation()
    options = Options(genes=60, limits="off", cache_dir=tmp_path / "sandbox")
    with Sandbox(options) as sandbox:
        # the first block makes the installation that the second one describes
        guides = [*QUICK_START, AWAIT_FULL_RUN, *together(TROUBLESHOOTING)]
        follow(clone, guides, tmp_path / "guides", sandbox.settings)
    assert clone.is_compiled()


def follow(clone: Clone, blocks: list[Fence], folder: Path, env: dict[str, str]) -> str:
    with Session(clone, folder, **env) as session:
        return "".join(session.run(each) for each in blocks if not runs_elsewhere(each))


def together(blocks: list[Fence]) -> list[Fence]:
    """Replace the commands that run single checks, with and without repair, by one command."""
    found = {each: ONE_CHECK.fullmatch(each.text) for each in blocks}
    ids: dict[str, list[str]] = {}
    for match in filter(None, found.values()):
        ids.setdefault(match[2], []).append(match[1])
    one_after_the_other = [each for each, match in found.items() if match is None]
    last = next(each for each, match in reversed(found.items()) if match)
    text = "".join(f"just doctor --only {','.join(them)}{fix}\n" for fix, them in ids.items())
    return [*one_after_the_other, replace(last, text=text)]


NOT_RUN = [each for each in TUTORIAL + QUICK_START + TROUBLESHOOTING if runs_elsewhere(each)]


@pytest.mark.parametrize("fence", NOT_RUN, ids=lambda each: each.place)
def test_a_block_that_is_not_run_here_needs_what_its_title_says(fence: Fence) -> None:
    kind = fence.title.split()[0].rstrip(":,")
    assert re.search(ELSEWHERE[kind], fence.text)
    pytest.skip(f"{fence.place} is not run here ({fence.title}): {fence.text.strip()}")


def test_few_blocks_are_not_run() -> None:
    pages = {"tutorial": TUTORIAL, "quick start": QUICK_START, "troubleshooting": TROUBLESHOOTING}
    assert all(pages.values())
    number = {page: sum(map(runs_elsewhere, blocks)) for page, blocks in pages.items()}
    assert number == {"tutorial": 0, "quick start": 1, "troubleshooting": 3}


PAGES = sorted(page for page in (REPOSITORY / "docs").rglob("*.md") if "theme" not in page.parts)
LANGUAGES = {
    "sh",
    "diff",
    "text",
    "python",
    "r",
    "ini",
    "yaml",
    "json",
    "sql",
    "mermaid",
    "caddyfile",
    "nginx",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_block_has_a_language_and_title(page: Path) -> None:
    name = str(page.relative_to(REPOSITORY))
    found = list(fences(page.read_text(encoding="utf-8"), name))
    assert [each.place for each in found if each.language not in LANGUAGES] == []
    titled = [each for each in found if each.language == "sh" and each.title]
    known = ("Terminal", *ELSEWHERE)
    assert [each.place for each in titled if not each.title.startswith(known)] == []
    needs = "|".join(words for kind, words in ELSEWHERE.items() if kind != "Live")
    plain = [each for each in found if each.language == "sh" and not runs_elsewhere(each)]
    assert [each.place for each in plain if re.search(needs, each.text)] == []
