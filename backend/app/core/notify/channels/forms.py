"""Builds the JSON for each kind of webhook receiver.

The texts of a message are plain. Names in them come from users and from upstream services, so each
form renders every character literally: a name cannot become a link, a mention or markup.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from app.core.notify.message import Message, Severity
from app.core.text.printable import printable
from app.core.text.words import shortened

Body = dict[str, Any]

MAX_TEXT = 12_000
"""Bytes of a text that are sent. Standard Webhooks recommends bodies of less than 20 KB, and Teams
refuses more than 28 KB."""

_MAX_MATTERMOST = 8_000
"""Mattermost refuses more than 16,383 characters, and an escaped character is two."""

_MAX_TITLE = 150
"""Characters: the limit of Slack's headers."""

_SECTION_CHARS = 2_900
"""Characters in a section. Slack refuses more than 3,000."""

_MAX_TEAMS_LINES = 100
"""Lines in a message to Teams, each of which is an element of the card."""

_INVISIBLE = "\u200b"
"""Separates characters that together would be markup, where no escape exists."""

_SIGNS = {Severity.INFO: "🔵", Severity.WARNING: "🟠", Severity.CRITICAL: "🔴"}


class Form(StrEnum):
    """A kind of receiver."""

    JSON = "json"
    SLACK = "slack"
    TEAMS = "teams"
    MATTERMOST = "mattermost"


def body(form: Form, message: Message) -> Body:
    """Return the JSON of a message for a kind of receiver.

    In forms for people, characters that control a terminal or the direction of text are escaped.
    """
    return _BODIES[form](message if form is Form.JSON else shown(message))


def shown(message: Message) -> Message:
    """Return a message for people, in which invisible characters are escaped."""
    title = printable(" ".join(message.title.split()))
    return replace(message, title=title, text=printable(message.text))


def _title(message: Message) -> str:
    sign = _SIGNS[Severity(message.severity)]
    return shortened(f"{sign} {message.title}", _MAX_TITLE)


def _text(message: Message, max_bytes: int = MAX_TEXT) -> str:
    encoded = message.text.encode(errors="replace")
    if len(encoded) <= max_bytes:
        return encoded.decode()
    return f"{encoded[:max_bytes].decode(errors='ignore').rstrip()}…"


def _json(message: Message) -> Body:
    """Return the payload that Standard Webhooks recommends: type, timestamp and data."""
    return {
        "type": message.kind.replace(" ", "_"),
        "timestamp": message.at.isoformat(),
        "data": {
            "id": message.id,
            "severity": message.severity,
            "title": message.title,
            "text": _text(message),
            "detail": dict(message.detail),
        },
    }


def _slack(message: Message) -> Body:
    """Return blocks of plain text, and the same as text for services without blocks."""
    title = _slack_escaped(_title(message))
    text = _slack_escaped(_text(message))
    sections = [text[at : at + _SECTION_CHARS] for at in range(0, len(text), _SECTION_CHARS)]
    return {
        "text": f"{title}\n{text}",
        "mrkdwn": False,
        "blocks": [
            {"type": "header", "text": _plain(shortened(title, _MAX_TITLE))},
            *(
                {"type": "section", "text": _plain(section)}
                for section in sections
                if section.strip()
            ),
        ],
    }


def _plain(text: str) -> Body:
    return {"type": "plain_text", "text": text, "emoji": False}


def _slack_escaped(text: str) -> str:
    # https://docs.slack.dev/messaging/formatting-message-text#escaping
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> Body:
    """Return an Adaptive Card with rich text, which has no markup, unlike a `TextBlock`."""
    lines = _text(message).splitlines()[:_MAX_TEAMS_LINES]
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    "msteams": {"width": "Full"},
                    "body": [
                        _rich(_title(message), weight="Bolder", size="Medium"),
                        *(_rich(line) for line in lines if line.strip()),
                    ],
                },
            }
        ],
    }


def _rich(text: str, **style: str) -> Body:
    run = {"type": "TextRun", "text": text, **style}
    return {"type": "RichTextBlock", "inlines": [run]}


_ADDRESS = re.compile(r"https?://[^\s<>\"'()\[\]`*|\\]+")
_MARKUP = re.compile(r"([\\`*_~|\[\]()#>!{}])")
_AT_LINE_START = re.compile(r"^[ \t]*(?=[-+=]|\d+[.)])", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]{4,}", re.MULTILINE)
_EMOJI = re.compile(r":(?=[A-Za-z0-9_+-]+:)")


def _mattermost(message: Message) -> Body:
    title = _mattermost_escaped(_title(message))
    text = _mattermost_escaped(_text(message, _MAX_MATTERMOST))
    return {"text": f"**{title}**\n{text}"}


def _mattermost_escaped(text: str) -> str:
    """Escape Markdown outside of web addresses, which stay links, and break mentions."""
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        parts += [_MARKUP.sub(r"\\\1", text[end : found.start()]), found[0]]
        end = found.end()
    parts.append(_MARKUP.sub(r"\\\1", text[end:]))
    escaped = _INDENT.sub("   ", "".join(parts))
    escaped = _AT_LINE_START.sub(rf"\g<0>{_INVISIBLE}", escaped)
    escaped = _EMOJI.sub(f":{_INVISIBLE}", escaped)
    return escaped.replace("@", f"@{_INVISIBLE}")


_BODIES: Mapping[Form, Callable[[Message], Body]] = {
    Form.JSON: _json,
    Form.SLACK: _slack,
    Form.TEAMS: _teams,
    Form.MATTERMOST: _mattermost,
}
