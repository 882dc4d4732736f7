from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.core.text.field_docs import describe_fields


class Above(BaseModel):
    model_config = ConfigDict(json_schema_extra=describe_fields)

    inherited: int
    """Of the class above."""
    changed: int
    """What it was."""


class Documented(Above):
    """A model with fields of all kinds."""

    plain: int = 1
    """The text
    goes on."""
    renamed: int = Field(2, alias="other")
    """Under its alias."""
    own: Annotated[int, Field(description="Its own.")]
    """This text is not needed."""
    silent: int = 3
    changed: int = 4
    """What it is."""
    nested: Above
    """Of a model."""


def test_the_text_under_each_field_is_its_description() -> None:
    schema = Documented.model_json_schema()
    found = {name: field.get("description") for name, field in schema["properties"].items()}
    assert found == {
        "inherited": "Of the class above.",
        "changed": "What it is.",
        "plain": "The text\ngoes on.",
        "other": "Under its alias.",
        "own": "Its own.",
        "silent": None,
        "nested": "Of a model.",
    }


def test_a_model_whose_code_cannot_be_read_has_no_descriptions() -> None:
    typed_in: dict[str, type[Above]] = {}
    code = "class TypedIn(Above):\n    field: int\n    'Not to be found.'\n"
    exec(code, {"Above": Above, "__name__": "builtins"}, typed_in)
    schema = typed_in["TypedIn"].model_json_schema()
    assert "description" not in schema["properties"]["field"]
    assert schema["properties"]["inherited"]["description"] == "Of the class above."
