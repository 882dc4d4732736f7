import pytest

from reference.json_schema import fields, type_phrase


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 200}, "whole number (1 to 200)"),
        ({"type": "integer", "minimum": 0}, "whole number (0 or more)"),
        ({"type": "integer", "maximum": 2**63 - 1}, "whole number (at most 2^63 - 1)"),
        ({"type": "string", "maxLength": 9}, "text (at most 9 characters)"),
        ({"type": "string", "format": "date-time"}, "date and time"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 2}, "list (at most 2) of text"),
        (
            {"anyOf": [{"$ref": "#/a/RunWorker"}, {"type": "null"}]},
            "[RunWorker](#runworker) or null",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            "object whose values are true or false",
        ),
        ({"type": "object", "additionalProperties": True}, "object"),
        ({"type": "string", "enum": ["away", "not used"]}, "`away` or `not used`"),
        ({"type": "string", "const": "live"}, "`live`"),
    ],
)
def test_a_type_is_described_in_words(schema, words) -> None:
    assert type_phrase(schema) == words


def test_a_type_without_a_description_is_an_error() -> None:
    with pytest.raises(KeyError):
        type_phrase({"type": "stream"})


def test_the_defaults_of_fields_that_a_client_sends_are_shown() -> None:
    schema = {
        "properties": {
            "name": {"type": "string"},
            "mode": {"type": "string", "default": "smart", "description": "How."},
        },
        "required": ["name"],
    }
    assert "| `name` | text | required |  |" in fields(schema, sent=True)
    assert '| `mode` | text | `"smart"` | How. |' in fields(schema, sent=True)
    assert "smart" not in fields(schema)
