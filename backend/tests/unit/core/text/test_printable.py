import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UserError
from app.core.process.exits import exit_on_user_error
from app.core.text.printable import printable, printable_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b2J over\rwritten \u202eturned", r"\x9b2J over\rwritten \u202eturned"),
        ("file-\udcff", r"file-\udcff"),
        (
            "two lines\n\tof naïve “text”, 5\u00a0€, 漢字",
            "two lines\n\tof naïve “text”, 5\u00a0€, 漢字",
        ),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_has_the_same_meaning(text: str) -> None:
    shown = printable_json(json.dumps({"text": text}, ensure_ascii=False, indent=2))
    assert json.loads(shown) == {"text": text}
    assert shown == printable(shown)


def test_control_characters_in_an_error_for_the_user_are_escaped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit), exit_on_user_error():
        raise UserError("\x1b]0;x\x07: no such file\udcff", remedy="look again")
    assert capsys.readouterr().err == (
        "Error: \\x1b]0;x\\x07: no such file\\udcff\n  remedy: look again\n"
    )
