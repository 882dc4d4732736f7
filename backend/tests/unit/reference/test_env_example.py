import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.annotation.settings import Settings, load_settings
from app.core.process.checkout import ROOT
from reference import env_example
from tests.checkout import copy_checkout


def test_a_copy_of_the_file_changes_no_setting(tmp_path: Path) -> None:
    copy = tmp_path / ".env"
    copy.write_text(env_example.text())
    assert load_settings(copy) == Settings.model_construct()


def test_every_setting_is_in_the_file_with_its_default(tmp_path: Path) -> None:
    copy = tmp_path / ".env"
    lines, count = re.subn("^# (?=[A-Z_]+=)", "", env_example.text(), flags=re.MULTILINE)
    assert count == len(Settings.model_fields)
    copy.write_text(lines)
    assert load_settings(copy) == Settings.model_construct()


def test_the_file_fits_a_terminal_and_says_what_generates_it() -> None:
    text = env_example.text()
    assert max(map(len, text.splitlines())) <= 100
    assert "`just reference` writes" in text
    assert str(ROOT) not in text


# generates the whole reference twice
@pytest.mark.pages
def test_one_stale_file_is_shown_and_updated_and_all_others_are_up_to_date(tmp_path: Path) -> None:
    copy_checkout(tmp_path)
    example = tmp_path / ".env.example"
    example.write_text(example.read_text().replace("# ARQ_MAX_JOBS=3", "# ARQ_JOBS=4"))
    command = [sys.executable, "-m", "reference"]
    shown = subprocess.run(
        [*command, "--check"], cwd=tmp_path / "backend", capture_output=True, text=True, check=False
    )
    assert shown.returncode == 1
    assert re.findall(r"^\+\+\+ (\S+)", shown.stderr, re.MULTILINE) == [str(example)], shown.stderr
    assert "-# ARQ_JOBS=4\n+# ARQ_MAX_JOBS=3\n" in shown.stderr
    assert shown.stderr.endswith("these files are out of date; type: just reference\n")
    subprocess.run(command, cwd=tmp_path / "backend", check=True)
    assert example.read_text() == env_example.text()
