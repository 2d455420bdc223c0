"""What a narrowing says of tables and fields, and how its filter is read."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import UsageError
from logdrain.model.catalog import ELEMENT
from logdrain.model.events import Table
from logdrain.model.narrowing import (
    Junction,
    RowCondition,
    RowJunction,
    RowOperator,
    conditions_of,
    read_filter_text,
    read_narrowing,
)


def test_tables_are_patterns_and_none_is_all() -> None:
    narrowing = read_narrowing(("shop.*", "web.click"), None, ())
    assert narrowing.has_table(Table("shop", "pay"))
    assert narrowing.has_table(Table("web", "click"))
    assert not narrowing.has_table(Table("web", "clicks"))
    assert read_narrowing((), None, ()).has_table(Table("a", "b"))


def test_a_hidden_field_is_hidden_with_all_below_it_whatever_its_letters() -> None:
    narrowing = read_narrowing((), None, ("user.phone", ["a.b"]))
    assert narrowing.hides(("User", "PHONE"))
    assert narrowing.hides(("user", ELEMENT, "phone", "code"))
    assert not narrowing.hides(("user",))
    assert narrowing.hides_below(("user",))
    assert narrowing.hides(("a.b",))
    assert not narrowing.hides(("a", "b"))


def test_a_filter_is_read_as_conditions() -> None:
    document = {
        "and": [
            {"field": "tenant", "op": "in", "value": [7, "x"]},
            {"not": {"field": ["a.b", "c"], "op": "exists"}},
        ]
    }
    first = RowCondition(("tenant",), RowOperator.IN, (7, "x"))
    second = RowCondition(("a.b", "c"), RowOperator.EXISTS, (True,))
    rows = read_narrowing((), document, ()).rows
    assert rows == RowJunction(Junction.AND, (first, RowJunction(Junction.NOT, (second,))))
    assert conditions_of(rows) == (first, second)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], "/"),
        ({"field": "a", "op": "matches", "value": 1}, "/op"),
        ({"or": [{"field": "a", "op": "eq", "value": None}]}, "/or/0/value"),
        ({"and": []}, "/and"),
        ({"not": {"field": "", "op": "eq", "value": 1}}, "/not/field"),
        ({"field": "a", "op": "in", "value": 1}, "/value"),
        ({"field": "a", "op": "contains", "value": 1}, "/value"),
        ({"field": "a", "op": "eq", "value": 1, "or": []}, "/"),
        ({"and": [{"field": "a", "op": "eq", "value": 1}], "or": []}, "/"),
    ],
)
def test_a_mistake_has_its_place(document: object, pointer: str) -> None:
    with pytest.raises(UsageError, match=f"at {pointer} of the filter"):
        read_narrowing((), document, ())


def test_a_filter_that_is_no_json_is_refused() -> None:
    with pytest.raises(UsageError, match="no JSON"):
        read_filter_text("tenant=7")


def test_nesting_has_a_bound() -> None:
    document: Any = {"field": "a", "op": "exists"}
    for _ in range(1000):
        document = {"not": document}
    with pytest.raises(UsageError, match="20 levels"):
        read_narrowing((), document, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("and", "not", "field", "op")), inner),
)


@given(document=JSON)
def test_any_document_is_a_filter_or_a_mistake(document: object) -> None:
    with suppress(UsageError):
        read_narrowing((), document, ())
