"""What a receiver of webhooks gets."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import markdown

from app.core.notify.channels.forms import Form, body
from app.core.notify.message import Kind
from tests.unit.core.notify.channels.conftest import a_message

NASTY = "<!channel> @all [free](https://evil.example) **x** `y` :smile: # z <@U1> & > | _a_ ~b~"


def test_the_payload_of_standard_webhooks_has_type_timestamp_and_data() -> None:
    assert body(Form.JSON, a_message()) == {
        "type": "run_failed",
        "timestamp": "2026-11-24T03:07:00+00:00",
        "data": {
            "id": "n-41-failed",
            "severity": "critical",
            "title": "Run 41 failed",
            "text": "Run 41 (clinvar) failed.\nTo continue it: just retry 41",
            "detail": {"run": 41},
        },
    }


@pytest.mark.parametrize("form", [Form.SLACK, Form.TEAMS, Form.MATTERMOST])
def test_people_see_characters_that_would_turn_the_text_around(form: Form) -> None:
    found = body(form, a_message(title="a\u202eb", text="c\u202ed\x1b[2J"))
    content = json.dumps(found, ensure_ascii=False)
    assert "u202e" in content
    assert not {"\u202e", "\x1b"} & {*content}


@pytest.mark.parametrize("kind", Kind)
def test_a_type_has_the_characters_that_standard_webhooks_recommends(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z_]+", body(Form.JSON, a_message(kind=kind))["type"])


def test_slack_gets_plain_text_without_mentions() -> None:
    found = body(Form.SLACK, a_message(title=NASTY, text=NASTY))
    header, section = found["blocks"]
    assert header["text"]["type"] == section["text"]["type"] == "plain_text"
    for text in (found["text"], header["text"]["text"], section["text"]["text"]):
        assert "<" not in text
        assert "&lt;!channel&gt;" in text
    assert found["mrkdwn"] is False


def test_slack_gets_no_block_that_it_refuses_for_its_length() -> None:
    blocks = body(Form.SLACK, a_message(title="&" * 500, text="<&> \n" * 5_000))["blocks"]
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(0 < len(each["text"]["text"]) <= 3_000 for each in blocks)
    assert len(blocks) <= 50


def test_teams_gets_a_card_of_text_that_has_no_markup() -> None:
    found = body(Form.TEAMS, a_message(title=NASTY, text=f"one\n{NASTY}"))
    (attachment,) = found["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert card["type"] == "AdaptiveCard"
    # a TextBlock would read Markdown
    assert {each["type"] for each in card["body"]} == {"RichTextBlock"}
    texts = [run["text"] for each in card["body"] for run in each["inlines"]]
    assert texts[1:] == ["one", NASTY]


def test_mattermost_shows_each_character_of_a_name_as_itself() -> None:
    text = body(Form.MATTERMOST, a_message(title="t", text=NASTY))["text"].partition("\n")[2]
    assert "@all" not in text
    assert ":smile:" not in text
    shown = markdown(text.replace("\u200b", ""))
    assert "<a " not in shown
    assert "<strong>" not in shown
    assert "<code>" not in shown
    assert "<h1>" not in shown


def test_mattermost_gets_web_addresses_that_stay_links() -> None:
    address = "https://docs.example.org/troubleshooting.html#run_failed"
    text = body(Form.MATTERMOST, a_message(text=f"See {address} (there)"))["text"]
    assert f" {address} " in text


@pytest.mark.parametrize("line", ["- one", "1. one", "=====", "+ one", "2) one"])
def test_a_line_begins_no_list_and_no_heading_in_mattermost(line: str) -> None:
    text = body(Form.MATTERMOST, a_message(text=f"a\n{line}"))["text"]
    assert not re.match(r"\s*([-+=]|\d+[.)])", text.splitlines()[-1])


@given(
    form=st.sampled_from(Form),
    title=st.text(max_size=600),
    text=st.text(max_size=300) | st.text(min_size=1).map(lambda each: each * 40_000),
)
def test_any_text_becomes_json_within_the_limits_of_the_receivers(
    form: Form, title: str, text: str
) -> None:
    found = body(form, a_message(title=title, text=text[:40_000]))
    content = json.dumps(found, ensure_ascii=False).encode(errors="replace")
    assert json.loads(content)
    if form is Form.MATTERMOST:
        assert len(found["text"]) < 16_383
    if form is Form.TEAMS:
        assert len(content) < 28_000


@pytest.mark.parametrize("form", [Form.JSON, Form.TEAMS, Form.MATTERMOST])
def test_a_long_digest_is_cut_to_the_limits_of_the_receivers(form: Form) -> None:
    text = "Run 41 (clinvar) failed: a source was held. See there.\n" * 2_000
    found = body(form, a_message(text=text))
    assert len(json.dumps(found, ensure_ascii=False).encode()) < 25_000
    if form is Form.MATTERMOST:
        assert len(found["text"]) < 16_383
