from app.doctor.registry import CHECKS
from tests.conftest import REPOSITORY


def test_each_check_has_the_anchor_that_the_doctor_names() -> None:
    for check in CHECKS:
        page, _, anchor = check.docs.partition("#")
        assert f'<a id="{anchor}"></a>' in (REPOSITORY / page).read_text()
