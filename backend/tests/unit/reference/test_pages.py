import subprocess
import sys

from app.doctor.registry import CHECKS
from tests.conftest import REPOSITORY


def test_the_generated_parts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reference", "--check"],
        cwd=REPOSITORY / "backend",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_each_check_has_the_anchor_that_the_doctor_names() -> None:
    for check in CHECKS:
        page, _, anchor = check.docs.partition("#")
        assert f'<a id="{anchor}"></a>' in (REPOSITORY / page).read_text()
