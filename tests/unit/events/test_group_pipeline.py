"""What MongoDB is asked, and what its documents become."""

from typing import Any

import pytest

from logdrain.errors import ScanTypeChanged
from logdrain.events.read.group_pipeline import GroupDecoder, NoWitnessError, aggregation_pipeline
from logdrain.model.catalog import ColumnType, FieldPath, FieldType, TypeKind
from logdrain.model.events import Table
from logdrain.model.plans import (
    AggregateFunction,
    Aggregation,
    Comparator,
    FixedValue,
    GroupKey,
    Measure,
    OutputColumn,
    Predicate,
    Scan,
    ScanColumn,
    TimeRange,
)
from logdrain.ports.queries import EVENTS

BIGINT, DOUBLE, VARCHAR = TypeKind.BIGINT, TypeKind.DOUBLE, TypeKind.VARCHAR
INT = frozenset({FieldType.INT})
COUNT = Measure(AggregateFunction.COUNT, (), BIGINT)
SUM = Measure(AggregateFunction.SUM, ("i",), BIGINT)
AVG = Measure(AggregateFunction.AVG, ("i",), DOUBLE)
LATEST = Measure(AggregateFunction.MAX, ("time",), BIGINT)
S, T = GroupKey(("s",), VARCHAR), GroupKey(("o", "t"), VARCHAR)


def aggregation(
    *sources: GroupKey | Measure | FixedValue,
    predicates: tuple[Predicate, ...] = (),
    types: dict[FieldPath, frozenset[FieldType]] | None = None,
    is_grouped: bool = True,
) -> Aggregation:
    column = ScanColumn("i", ("i",), ColumnType(BIGINT))
    return Aggregation(
        Scan("scan_0", Table("production", "pay"), (column,), TimeRange(None, None), predicates),
        tuple(source for source in sources if isinstance(source, GroupKey)),
        tuple(OutputColumn(f"c{number}", source) for number, source in enumerate(sources)),
        tuple((types or {("i",): INT}).items()),
        is_grouped,
    )


def rows(asked: Aggregation, *groups: dict[str, Any], has_witnesses: bool = False) -> list[tuple[Any, ...]]:
    """The groups; in front, how many events are in each."""
    decoded = GroupDecoder(asked).decode(groups, has_witnesses=has_witnesses)
    return [tuple(row.values()) for row in decoded.to_pylist()]


def test_one_key_is_the_id_itself_and_the_catalog_comes_behind_the_groups() -> None:
    of_pay = {"table": {"$eq": "production.pay"}}
    assert aggregation_pipeline(aggregation(S, COUNT, SUM), has_witnesses=False) == [
        {"$group": {"_id": "$s", "rows": {"$sum": 1}, "m0": {"$sum": 1}, "m1": {"$sum": "$i"}}},
        {
            "$unionWith": {
                "coll": "_catalog",
                "pipeline": [{"$match": of_pay}, {"$project": {"_id": 0, "path": 1, "type": 1}}],
            }
        },
    ]


def test_null_is_merged_with_missing_only_where_it_has_been_seen() -> None:
    types = {("s",): frozenset({FieldType.STRING, FieldType.NULL}), ("o", "t"): frozenset({FieldType.STRING})}
    group, _ = aggregation_pipeline(aggregation(S, T, types=types), has_witnesses=False)
    assert group["$group"]["_id"] == {"k0": {"$ifNull": ["$s", None]}, "k1": "$o.t"}


def test_no_key_is_one_group() -> None:
    group, _ = aggregation_pipeline(aggregation(AVG), has_witnesses=False)
    assert group == {"$group": {"_id": None, "rows": {"$sum": 1}, "m0": {"$avg": "$i"}}}


def test_filters_come_first_and_are_bare() -> None:
    asked = aggregation(COUNT, predicates=(Predicate(("i",), Comparator.NE, (3,)),))
    assert aggregation_pipeline(asked, has_witnesses=False)[0] == {
        "$match": {"$and": [{"i": {"$nin": [3, None]}}]}
    }


def test_a_sum_of_zero_needs_a_witness() -> None:
    asked = aggregation(S, SUM)
    group, _ = aggregation_pipeline(asked, has_witnesses=True)
    assert group["$group"]["m0_witness"] == {"$max": "$i"}
    assert rows(asked, {"_id": "a", "rows": 1, "m0": 1}) == [(1, "a", 1)]
    with pytest.raises(NoWitnessError):
        rows(asked, {"_id": "a", "rows": 1, "m0": 0})
    assert rows(
        asked,
        {"_id": "a", "rows": 1, "m0": 0, "m0_witness": None},
        {"_id": "b", "rows": 1, "m0": 0, "m0_witness": 0},
        has_witnesses=True,
    ) == [(1, "a", None), (1, "b", 0)]


def test_keys_that_are_missing_are_null() -> None:
    assert rows(aggregation(S, T, COUNT), {"_id": {"k1": "x"}, "rows": 2, "m0": 2}) == [(2, None, "x", 2)]


def test_the_time_is_in_whole_seconds_and_constants_are_not_asked_for() -> None:
    asked = aggregation(FixedValue("x", VARCHAR), LATEST)
    assert rows(asked, {"_id": None, "rows": 2, "m0": 1999}) == [(2, 1)]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (SUM, float(2**63)),
        (AVG, float(2**62)),
        (Measure(AggregateFunction.SUM, ("i",), DOUBLE), float("inf")),
        (Measure(AggregateFunction.MIN, ("i",), BIGINT), "a"),
    ],
)
def test_what_may_not_be_the_engines_answer_is_none(source: Measure, value: Any) -> None:
    with pytest.raises(ScanTypeChanged):
        rows(aggregation(source), {"_id": None, "rows": 2, "m0": value})


def test_large_averages_of_doubles_are_answers() -> None:
    asked = aggregation(AVG, types={("i",): frozenset({FieldType.INT, FieldType.DOUBLE})})
    assert rows(asked, {"_id": None, "rows": 2, "m0": 1e300}) == [(2, 1e300)]


def test_nothing_at_all() -> None:
    found = GroupDecoder(aggregation(COUNT, SUM, AVG, LATEST, is_grouped=False)).nothing()
    assert found.to_pylist() == [{EVENTS: 0, "0": 0, "1": None, "2": None, "3": None}]
