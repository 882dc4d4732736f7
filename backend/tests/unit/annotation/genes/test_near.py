"""The similar names of a misspelled one."""

import pytest

from app.annotation.genes.near import near_names


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("PKD", "PKD1"),
        ("PKDD1", "PKD1"),
        ("PDK1", "PKD1"),
        ("PKD2", "PKD1"),
        ("HLADRB1", "HLA-DRB1"),
        ("pkd1-201", "PKD1"),
        ("ttn.5", "TTN"),
    ],
)
def test_a_name_with_one_wrong_character_or_extra_text_at_its_end_is_found(typed, meant):
    assert meant in near_names(typed)


def test_the_text_itself_is_not_a_similar_name():
    assert "PKD1" not in near_names("pkd1")


def test_a_long_text_gives_few_similar_names():
    assert len(near_names("x" * 100)) < 20
    assert len(near_names("x" * 20)) < 1_700
