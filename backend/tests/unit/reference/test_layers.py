import sys
from pathlib import Path

import pytest

from app.core.errors import UserError
from reference import layers
from reference.imports import Imports, imports_of

TINY = {
    "__init__.py": "version = 1\n",
    "top.py": "from tiny import version, middle\nfrom tiny.base import low\n",
    "middle.py": "import tiny.base.low\n",
    "base/__init__.py": "",
    "base/low.py": "",
    "base/odd.py": "from tiny import middle\n",
    "alone.py": "",
}


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in TINY.items():
        (tmp_path / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "tiny"


@pytest.fixture
def found(tiny: Path) -> Imports:
    return imports_of(["tiny"], opened=["tiny"], ignored=["tiny.base.odd -> tiny.middle"])


def test_imports_are_those_between_packages(found: Imports) -> None:
    assert found.packages == ("tiny.alone", "tiny.base", "tiny.middle", "tiny.top")
    assert found.pairs == {
        ("tiny.top", "tiny.middle"),
        ("tiny.top", "tiny.base"),
        ("tiny.middle", "tiny.base"),
    }
    assert found.exceptions == {("tiny.base", "tiny.middle"): {"tiny.base.odd"}}


def test_the_picture_has_the_arrows_of_the_code_and_no_other(found: Imports) -> None:
    arrows = [line.strip() for line in layers.picture(found).splitlines() if "->" in line]
    # top reaches base through middle
    assert arrows == [
        'tiny_base -. "odd" .-> tiny_middle',
        "tiny_middle --> tiny_base",
        "tiny_top --> tiny_middle",
    ]


def test_a_removed_import_removes_its_arrow(tiny: Path, found: Imports) -> None:
    assert "tiny_middle --> tiny_base" in layers.picture(found)
    (tiny / "middle.py").write_text("")
    picture = layers.picture(imports_of(["tiny"], opened=["tiny"]))
    assert "tiny_middle --> tiny_base" not in picture
    assert "tiny_top --> tiny_base" in picture


def test_the_picture_shows_every_package() -> None:
    found = layers.read()
    assert set(found.packages) == set(layers.WORDS)
    picture = layers.picture(found)
    assert all(f'["{name}<br/>' in picture for name in found.packages)
    assert "app_core --> app_db" in picture
    assert "| `app.core` | job engine | `app.db`, " in layers.who_imports_whom(found)


def test_a_package_without_a_purpose_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(layers.WORDS, "app.db")
    with pytest.raises(UserError, match=r"app\.db"):
        layers.read()


def test_without_a_reader_of_imports_the_error_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "grimp", None)
    with pytest.raises(UserError) as error:
        layers.read()
    assert error.value.remedy == "make"


def test_the_rules_are_those_of_the_linter() -> None:
    rules = layers.rules()
    for contract in layers.contracts():
        assert contract["name"] in rules
    assert "`annotation`; `core`; `db`." in rules


def test_a_module_is_shown_with_its_first_sentence(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "a.py").write_text('"""What ``.env`` says. And more."""\n')
    (tmp_path / "b.py").write_text(
        'def f():\n    """Not this one."""\n\n\nclass _Own:\n    """Nor this."""\n\n\n'
        'class Main:\n    """A life: it\n    beats.\n\n    More.\n    """\n'
    )
    (tmp_path / "c.py").write_text('async def f():\n    """Do it"""\n')
    assert layers.modules(tmp_path).splitlines()[2:] == [
        "| `a.py` | What `.env` says. |",
        "| `b.py` | A life: it beats. |",
        "| `c.py` | Do it |",
    ]


def test_every_module_of_the_job_engine_has_a_first_sentence() -> None:
    for line in layers.modules(layers.BACKEND / "app" / "core").splitlines():
        assert all(cell.strip() for cell in line.split("|")[1:-1]), line
