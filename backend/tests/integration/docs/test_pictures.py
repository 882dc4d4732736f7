"""The pictures of the tutorial, and the program that takes them."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from demo.pictures import FOLDER, PICTURES, WIDTH
from harness.chromium import program
from harness.process import BACKEND
from tests.conftest import REPOSITORY


def size(picture: Path) -> tuple[int, int]:
    """The width and the height of a PNG, which begins with its signature and the chunk IHDR."""
    signature, width, height = struct.unpack(">8s8xII", picture.read_bytes()[:24])
    assert signature == b"\x89PNG\r\n\x1a\n"
    return width, height


def test_the_tutorial_shows_each_picture_and_says_what_is_on_it() -> None:
    text = (REPOSITORY / "docs/tutorial.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^]]*)\]\(pictures/(\w+)\.png\)", text)
    assert sorted(name for _, name in shown) == sorted(PICTURES)
    assert all(len(words) > 20 for words, _ in shown)
    assert sorted(each.stem for each in FOLDER.iterdir()) == sorted(PICTURES)
    for name, (_, height) in PICTURES.items():
        assert size(FOLDER / f"{name}.png") == (WIDTH, height)


@pytest.mark.pages
@pytest.mark.timeout(600)
@pytest.mark.skipif(program() is None, reason="Chromium is not installed")
def test_the_program_takes_the_pictures_of_the_tutorial(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo.pictures", "--folder", str(tmp_path)]
    done = subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {each.stem: size(each) for each in tmp_path.iterdir()} == {
        name: (WIDTH, height) for name, (_, height) in PICTURES.items()
    }
