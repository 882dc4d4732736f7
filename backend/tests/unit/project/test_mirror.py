from tests.conftest import REPOSITORY

BACKEND = REPOSITORY / "backend"
UNIT = BACKEND / "tests" / "unit"
OUTSIDE = {"deploy", "project", "reliability"}
"""Folders that test no package of `backend`: the repository's files, and the soak."""


def test_each_folder_of_unit_tests_has_the_path_of_the_package_that_it_tests() -> None:
    folders = {test.parent.relative_to(UNIT) for test in UNIT.rglob("test_*.py")}
    lost = [
        str(folder)
        for folder in sorted(folders)
        if folder.parts  # the modules of `app` itself are tested beside the folders
        and folder.parts[0] not in OUTSIDE
        and not any((top / folder).is_dir() for top in (BACKEND / "app", BACKEND))
    ]
    assert lost == []
