"""When the engine aggregates what is kept, instead of the store."""

from unittest.mock import Mock

import pytest

from logdrain.answer.kept.scans import KeptScans
from logdrain.answer.queries import Queries
from logdrain.model.catalog import FieldType, TypeKind
from logdrain.model.plans import AggregateFunction, Aggregation, Measure, OutputColumn, Scan
from logdrain.model.stops import Stop
from logdrain.ports.queries import Engine, ScanSource
from tests.unit.answer.kept_world import Seen, World, numbers, scan_of

DAY_S = 86_400
START_S = 1330560000  # 2012-03-01 00:00:00 UTC
PER_DAY = 3_000
WHOLE = frozenset({FieldType.INT})
BOTH = WHOLE | {FieldType.DOUBLE}


def aggregation_of(scan: Scan, function: AggregateFunction, types: frozenset[FieldType]) -> Aggregation:
    """Of one number, over all events."""
    measure = Measure(function, ("number",), TypeKind.BIGINT)
    return Aggregation(scan, (), (OutputColumn("it", measure),), ((("number",), types),), is_grouped=False)


def fetched(
    days: int,
    function: AggregateFunction = AggregateFunction.SUM,
    types: frozenset[FieldType] = WHOLE,
    size_max_bytes: int = 2**24,
) -> list[int | None]:
    """How many events five daily slices over so many days each have fetched; None: the store aggregated."""
    world = World(START_S + 30 * DAY_S, batch_rows=10_000)
    world.events = [Seen(START_S + number * DAY_S // PER_DAY, number) for number in range(20 * PER_DAY)]
    kept = world.kept(size_max_bytes)
    answers: list[int | None] = []
    for day in range(5):
        scan = scan_of(START_S + day * DAY_S, START_S + (day + days) * DAY_S)
        aggregation = aggregation_of(scan, function, types)
        if kept.is_at_hand(aggregation):
            world.fetched.clear()
            assert numbers(kept, scan) == [event.number for event in world.within(scan.time_range)]
            answers.append(len(world.fetched))
        else:
            assert kept.aggregate(aggregation, Stop()).rows_read == days * PER_DAY
            assert kept.size_bytes == 0
            answers.append(None)
    return answers


def test_most_of_a_large_window_is_at_hand() -> None:
    assert fetched(12) == [None, 12 * PER_DAY, PER_DAY, PER_DAY, PER_DAY]


def test_a_small_window_is_the_stores() -> None:
    assert fetched(7) == [None] * 5


def test_a_window_that_does_not_fit_is_the_stores_again() -> None:
    assert fetched(12, size_max_bytes=2**18) == [None, 12 * PER_DAY, None, None, None]


def test_nothing_is_at_hand_where_nothing_is_kept() -> None:
    assert fetched(12, size_max_bytes=0) == [None] * 5


@pytest.mark.parametrize(
    ("function", "types", "is_exact"),
    [
        (AggregateFunction.AVG, WHOLE, True),
        (AggregateFunction.MAX, BOTH, True),
        (AggregateFunction.COUNT, BOTH, True),
        (AggregateFunction.SUM, BOTH, False),
        (AggregateFunction.AVG, frozenset({FieldType.DOUBLE}), False),
    ],
)
def test_sums_of_doubles_are_the_stores(
    function: AggregateFunction, types: frozenset[FieldType], *, is_exact: bool
) -> None:
    assert (fetched(12, function, types)[-1] == PER_DAY) == is_exact


def test_an_idle_worker_lets_go() -> None:
    kept = Mock(spec=KeptScans)
    Queries(Mock(spec=ScanSource), Mock(spec=Engine), kept=kept).close_idle()
    kept.close_idle.assert_called_once_with()
