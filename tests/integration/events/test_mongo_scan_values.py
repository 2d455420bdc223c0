import operator
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logdrain.events.read.filters import scan_filter
from logdrain.model.catalog import ColumnType, FieldPath
from logdrain.model.plans import Comparator, Predicate, Scalar
from tests.integration.events.scanned_table import ScannedTable, column, nested, scan_of
from tests.unit.types import typed_values as tv

# Each example has documents of its own; the server and its database are the test's.
ON_A_SERVER = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

KEYS = tv.KEYS | st.sampled_from(["a", "b", "c0", "0", "a.b", "$a", "", "$$ROOT", "ключ"])
PATHS = (
    st.lists(KEYS, min_size=1, max_size=3)
    .map(tuple)
    .filter(lambda path: path[0] not in {"time", "_time", "_id"})
)

NEAR: dict[ColumnType, list[Any]] = {
    tv.BIGINT: [-1, 0, 1, 2**53 + 1, 2**63 - 1],
    tv.DOUBLE: [-1, -0.5, -0.0, 0.0, 0, 1, 1.5, 2**53 - 1],
    tv.DECIMAL: [-1, 0, 1, 2**63 - 1],
    tv.VARCHAR: ["", "a", "A", "$a", "a\0", "a\0b", "ü", "\U0001f600", "\uffff", "10", "9"],
    tv.BOOLEAN: [False, True],
}
"""Values of each type, near to one another in one order or another."""


@pytest.fixture
def pay(mongodb_uri: str) -> Iterator[ScannedTable]:
    with ScannedTable(mongodb_uri) as table:
        yield table


@ON_A_SERVER
@given(data=st.data(), of=tv.COLUMN_TYPES, path=PATHS)
def test_stored_values_come_back_exactly(
    pay: ScannedTable, data: st.DataObject, of: ColumnType, path: FieldPath
) -> None:
    pairs = data.draw(st.lists(tv.values_of(of), max_size=5))
    pay.clear()
    pay.add({}, *(nested(path, stored) for stored, _ in pairs))
    read = pay.read(column(of, *path, name="f"))
    assert len(read) == len(pairs) + 1
    for row, (_, expected) in zip(read, [(None, None), *pairs], strict=True):
        assert tv.matches(row["f"], expected, of)


def test_a_record_of_every_type_at_once(pay: ScannedTable) -> None:
    pay.clear()
    pay.add(
        {
            "id": 2**63 - 1,
            "a.b": "dotted",
            "user": {"name": "Ü\0", "tags": ["x", None, ""], "empty": []},
            "rate": -0.0,
            "mixed": {"z": 1, "a": [True]},
        },
        {"id": -(2**63), "user": {}, "rate": 2, "mixed": "plain"},
    )
    columns = [
        column(tv.BIGINT, "id"),
        column(tv.VARCHAR, "a.b"),
        column(tv.VARCHAR, "user", "name"),
        column(tv.list_of(tv.VARCHAR), "user", "tags"),
        column(tv.struct_of(name=tv.VARCHAR, empty=tv.list_of(tv.VARCHAR)), "user"),
        column(tv.DOUBLE, "rate"),
        column(tv.TEXT, "mixed"),
        column(tv.NULL, "coupon"),
        column(tv.BIGINT, "time"),
    ]
    first, second = pay.read(*columns)
    assert list(first.values()) == [
        2**63 - 1,
        "dotted",
        "Ü\0",
        ["x", None, ""],
        {"name": "Ü\0", "empty": []},
        0.0,
        '{"z":1,"a":[true]}',
        None,
        1_700_000_000,
    ]
    assert str(first["rate"]) == "-0.0"
    assert list(second.values()) == [
        -(2**63),
        None,
        None,
        None,
        {"name": None, "empty": None},
        2.0,
        "plain",
        None,
        1_700_000_000,
    ]


COMPARE: dict[Comparator, Callable[[Any, Any], object]] = {
    Comparator.EQ: operator.eq,
    Comparator.NE: operator.ne,
    Comparator.LT: operator.lt,
    Comparator.LTE: operator.le,
    Comparator.GT: operator.gt,
    Comparator.GTE: operator.ge,
}


def sql_holds(value: Any, comparator: Comparator, constants: tuple[Any, ...]) -> bool:
    """Whether WHERE keeps a row: a comparison with NULL is not true."""
    if comparator is Comparator.IS_NULL:
        return value is None
    if value is None:
        return False
    if comparator is Comparator.NOT_NULL:
        return True
    if comparator is Comparator.IN:
        return value in constants
    return bool(COMPARE[comparator](value, constants[0]))


def comparable(value: Any) -> Any:
    """Strings compare by their UTF-8, as they do in the engine."""
    return value.encode() if isinstance(value, str) else value


def check_predicate(pay: ScannedTable, of: ColumnType, predicate: Predicate) -> None:
    """Whether the filter keeps what SQL keeps of all that is stored, or leaves it all to the engine."""
    scan = scan_of(column(of, *predicate.path, name="f"), predicates=[predicate])
    everything = [row["f"] for row in pay.read(*scan.columns)]
    read = [row["f"] for row in pay.read(*scan.columns, predicates=scan.predicates)]
    constants = tuple(map(comparable, predicate.values))
    kept = [value for value in everything if sql_holds(comparable(value), predicate.comparator, constants)]
    assert read == (kept if scan_filter(scan) else everything), predicate


@pytest.mark.parametrize("of", NEAR)
def test_every_comparison_keeps_what_sql_keeps(pay: ScannedTable, of: ColumnType) -> None:
    pay.clear()
    pay.add({}, {"f": None}, *({"f": value} for value in NEAR[of]))
    for comparator in COMPARE:
        for constant in NEAR[of]:
            check_predicate(pay, of, Predicate(("f",), comparator, (constant,)))
    for comparator in (Comparator.IS_NULL, Comparator.NOT_NULL, Comparator.IN):
        check_predicate(pay, of, Predicate(("f",), comparator, ()))
    check_predicate(pay, of, Predicate(("f",), Comparator.IN, tuple(NEAR[of][:2])))


@ON_A_SERVER
@given(
    data=st.data(),
    of=st.sampled_from(list(NEAR)),
    path=st.sampled_from([("f",), ("o", "f"), ("o", "0", "f")]),
    comparator=st.sampled_from(list(COMPARE)),
)
def test_any_comparison_keeps_what_sql_keeps(
    pay: ScannedTable, data: st.DataObject, of: ColumnType, path: FieldPath, comparator: Comparator
) -> None:
    stored = [pair[0] for pair in data.draw(st.lists(tv.values_of(of), max_size=6))]
    wide: dict[ColumnType, st.SearchStrategy[Scalar]] = {
        tv.BIGINT: tv.INTEGERS | tv.DOUBLES,
        tv.DOUBLE: tv.INTEGERS | tv.DOUBLES,
        tv.VARCHAR: tv.STRINGS,
    }
    constant = data.draw(wide.get(of, st.sampled_from(NEAR[of])))
    pay.clear()
    pay.add({}, *(nested(path, value) for value in stored))
    check_predicate(pay, of, Predicate(path, comparator, (constant,)))
