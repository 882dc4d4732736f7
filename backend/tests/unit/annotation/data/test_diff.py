"""Comparison of two versions of an answer's data."""

import copy
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.annotation.data.diff import MISSING, FieldChange, Shape, diff
from app.annotation.data.fields import Field, fields_of

SHAPES = {
    source: Shape.of(fields_of(source).values())
    for source in ("clinvar", "clingen", "gtex", "hpo", "panelapp", "pubmed", "uniprot")
}


def apply(
    data: dict[str, Any] | None, changes: list[FieldChange], new: dict[str, Any] | None
) -> dict[str, Any]:
    """Apply changes to the old data.

    The new data are used only to distinguish several elements with the same identity.
    """
    made: dict[str, Any] = copy.deepcopy(data or {})
    altered: dict[Any, Any] = {}
    for change in changes:
        if isinstance(change.element, str):
            place(made, (*change.path, change.element), change)
        elif change.part:
            listed = at(made, change.path)
            which = change.path, canonical(change.element)
            if which not in altered:
                (altered[which],) = without_equals(
                    [each for each in listed if is_named(each, change.element)],
                    at(new, change.path),
                )
            apply_to(altered[which], change.part, change)
        else:
            apply_to(made, change.path, change)
    return made


def apply_to(made: dict[str, Any], path: tuple[str, ...], change: FieldChange) -> None:
    if change.change == "altered":
        place(made, path, change)
        return
    listed = at(made, path)
    if listed is None:
        listed = []
        put(made, path, listed)
    if change.change == "added":
        listed.append(change.new)
    else:
        # equal to it, whatever the order of the lists in it
        number = next(
            place for place, each in enumerate(listed) if ordered(each) == ordered(change.old)
        )
        del listed[number]


def without_equals(elements: list[Any], others: list[Any]) -> list[Any]:
    """Return the elements of a list without an equal in another list."""
    left = [ordered(each) for each in others]
    found = []
    for each in elements:
        if ordered(each) in left:
            left.remove(ordered(each))
        else:
            found.append(each)
    return found


def place(made: dict[str, Any], path: tuple[str, ...], change: FieldChange) -> None:
    before = at(made, path)
    expected = None if change.old is MISSING else change.old
    assert ordered(before) == ordered(expected)
    put(made, path, change.new)


def put(made: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        if made.get(name) is None:
            made[name] = {}
        made = made[name]
    if value is MISSING:
        del made[path[-1]]
    else:
        made[path[-1]] = value


def at(made: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        made = None if made is None else made.get(name)
    return made


def is_named(element: Any, identity: Any) -> bool:
    return isinstance(element, dict) and {name: element.get(name) for name in identity} == identity


def ordered(value: Any) -> Any:
    """Return a value with all its lists sorted."""
    if isinstance(value, dict):
        return {name: ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((ordered(each) for each in value), key=canonical)
    return value


def canonical(value: Any) -> str:
    if isinstance(value, dict):
        # an empty map differs from an empty list
        return f"object {sorted((name, canonical(each)) for name, each in value.items())}"
    if isinstance(value, list):
        return str([canonical(each) for each in value])
    # 1 and 1.0 are equal
    return repr(float(value)) if isinstance(value, int) else repr(value)


def shuffled(value: Any, seed: int) -> Any:
    if isinstance(value, dict):
        return {name: shuffled(each, seed) for name, each in value.items()}
    if isinstance(value, list):
        made = [shuffled(each, seed) for each in value]
        random.Random(seed).shuffle(made)
        return made
    return value


SIMPLE = st.none() | st.integers(2, 5) | st.floats(2, 5).map(lambda value: round(value, 1))
SIMPLE |= st.sampled_from(["a", "b", "=c", ""]) | st.booleans()
ANYTHING = st.recursive(
    SIMPLE,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Generate values of the declared type, from few distinct ones, so that they repeat."""
    if field.kind == "list":
        inner = objects_of(field.parts, len(field.path)) if field.parts else SIMPLE
        return st.lists(inner, max_size=4)
    if field.kind == "map":
        inner = st.lists(SIMPLE, max_size=2) if field.element == "list" else SIMPLE
        return st.dictionaries(st.sampled_from(["HP:1", "HP:2", "HP:3"]), inner, max_size=3)
    return SIMPLE


@st.composite
def objects_of(draw: Any, fields: Any, below: int = 0) -> dict[str, Any]:
    """Return data with some of the declared fields, and sometimes with others."""
    made: dict[str, Any] = {}
    for field in fields:
        # data of an older parser may have another value or none
        if not draw(st.integers(0, 5)):
            continue
        into: Any = made
        for name in field.path[below:-1]:
            into = into.setdefault(name, {})
        unusual = not draw(st.integers(0, 9))
        into[field.path[-1]] = draw(ANYTHING if unusual else values_of(field))
    if not draw(st.integers(0, 4)):
        made["undeclared"] = draw(ANYTHING)
    return made


SOURCE_AND_PAIR = st.sampled_from(sorted(SHAPES)).flatmap(
    lambda source: st.tuples(
        st.just(source),
        st.none() | objects_of(fields_of(source).values()),
        objects_of(fields_of(source).values()),
    )
)


@example(
    (
        "hpo",
        {"diseases": [{"disease_id": 3, "other": 1}, {"disease_id": 3, "disease": "a"}]},
        {"diseases": [{"disease_id": 3}, {"disease_id": 3, "disease": "a"}]},
    )
)
@given(SOURCE_AND_PAIR)
def test_the_changes_applied_to_the_old_data_give_the_new_data(pair: Any) -> None:
    source, old, new = pair
    changes = diff(SHAPES[source], old, new)
    assert ordered(apply(old, changes, new)) == ordered(new)


@example(("clingen", None, {"validity": [None, None, 2]}), 0)
@given(SOURCE_AND_PAIR, st.integers(0, 3))
def test_another_order_of_a_list_is_not_a_change(pair: Any, seed: int) -> None:
    source, _, data = pair
    assert diff(SHAPES[source], data, shuffled(data, seed)) == []
    assert diff(SHAPES[source], data, copy.deepcopy(data)) == []


@settings(max_examples=30)
@given(SOURCE_AND_PAIR, SOURCE_AND_PAIR)
def test_any_data_of_any_source_can_be_compared(pair: Any, other: Any) -> None:
    source, old, _ = pair
    _, new, _ = other
    assert ordered(apply(old, diff(SHAPES[source], old, new), new)) == ordered(new or {})


def test_a_changed_number_has_both_values() -> None:
    old, new = {"germline": {"pathogenic": 512, "benign": 3}}, {"germline": {"pathogenic": 519}}
    assert diff(SHAPES["clinvar"], old, new) == [
        FieldChange(("germline", "pathogenic"), "altered", 512, 519),
        FieldChange(("germline", "benign"), "altered", 3, MISSING),
    ]


def test_panels_with_the_same_number_are_compared() -> None:
    old = [panel(1, "amber", version="1.0"), panel(2, "green"), panel(3, "red")]
    new = [panel(4, "red"), panel(3, "red"), panel(1, "green", version="1.1")]
    changes = diff(SHAPES["panelapp"], {"panels": old}, {"panels": new})
    named = {"region": "UK", "panel_id": 1}
    assert changes == [
        FieldChange(("panels",), "added", MISSING, new[0], {"region": "UK", "panel_id": 4}),
        FieldChange(("panels",), "removed", old[1], MISSING, {"region": "UK", "panel_id": 2}),
        FieldChange(("panels",), "altered", "1.0", "1.1", named, ("panel_version",), moves=True),
        FieldChange(("panels",), "altered", "amber", "green", named, ("confidence",)),
    ]


def panel(number: int, confidence: str, *, version: str = "1.0") -> dict[str, Any]:
    made = {"region": "UK", "panel_id": number, "panel_version": version}
    return {**made, "confidence": confidence}


def test_elements_with_the_same_identity_are_added_and_removed() -> None:
    old = [panel(1, "amber"), panel(1, "red")]
    changes = diff(SHAPES["panelapp"], {"panels": old}, {"panels": [panel(1, "green"), old[1]]})
    # the equal elements are a pair, so the other two are as well
    assert [(each.change, each.old, each.new) for each in changes] == [
        ("altered", "amber", "green")
    ]
    changes = diff(SHAPES["panelapp"], {"panels": old}, {"panels": [panel(1, "green")]})
    assert [each.change for each in changes] == ["added", "removed", "removed"]


@pytest.mark.parametrize("source", ["pubmed", "clinvar"])
def test_fields_that_move_are_marked(source: str) -> None:
    names = {"pubmed": "articles", "clinvar": "last_evaluated"}
    (change,) = diff(SHAPES[source], {names[source]: 1}, {names[source]: 2})
    assert change.moves


def test_rows_without_an_identity_are_compared_as_a_whole() -> None:
    rows = Field("mine", ("rows",), "list", nullable=False, definition="", element="object")
    old, new = [{"a": 1}, {"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}, {"a": 3}]
    assert diff(Shape.of([rows]), {"rows": old}, {"rows": new}) == [
        FieldChange(("rows",), "added", MISSING, {"a": 3}),
        FieldChange(("rows",), "removed", {"a": 1}, MISSING),
    ]
