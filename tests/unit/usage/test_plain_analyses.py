"""The numbers of the analyses' definition, held against the plain references."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.usage.plain_analyses import (
    Happening,
    follow_aliases,
    funnel,
    funnel_medians,
    paths,
    retention_by_day,
    sessions,
    share,
)

MINUTE_MS = 60_000
STEPS = ["view", "cart", "pay"]
SHOP = [
    Happening(unit, what, minute * MINUTE_MS)
    for unit, what, minute in [
        ("u1", "view", 0),
        ("u1", "cart", 5),
        ("u1", "pay", 9),
        ("u2", "view", 0),
        ("u2", "view", 100),
        ("u2", "cart", 110),
        ("u3", "cart", 0),
        ("u3", "view", 1),
        ("u4", "view", 0),
        ("u4", "cart", 70),
        ("u4", "pay", 75),
        ("u5", "view", 0),
        ("u5", "cart", 0),
    ]
]


def test_a_window_is_tried_from_each_first_event() -> None:
    assert funnel(SHOP, STEPS, window_ms=60 * MINUTE_MS) == [5, 2, 1]


def test_without_a_window_late_steps_count() -> None:
    assert funnel(SHOP, STEPS) == [5, 3, 2]


def test_in_any_order_the_same_millisecond_counts() -> None:
    # Step 1 of `any` is an event of the first step alone: all five have a view.
    assert funnel(SHOP, STEPS, order="any", window_ms=60 * MINUTE_MS) == [5, 4, 1]


def test_medians_are_from_the_step_before() -> None:
    assert funnel_medians(SHOP, STEPS, window_ms=60 * MINUTE_MS) == [None, 450, 240]


def test_a_strict_funnel_takes_nothing_in_between() -> None:
    events = [Happening("u", what, at_ms) for at_ms, what in enumerate(["view", "pay", "cart"])]
    assert funnel(events, ["view", "cart"], order="strict") == [1, 1]
    assert funnel(events, STEPS, order="strict") == [1, 0, 0]


def _march(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


BORN = [("u1", _march(2)), ("u2", _march(2)), ("u3", _march(3))]
DAYS = {"u1": (2, 3, 5), "u2": (2,), "u3": (3, 4, 5)}
ACTIVE = [(unit, _march(day)) for unit, days in DAYS.items() for day in days]


def test_retention_on_a_day_and_the_cell_that_is_not_over() -> None:
    assert retention_by_day(BORN, ACTIVE, zone=UTC, count=4, now=_march(6)) == {
        "2026-03-02": (2, [(2, True), (1, True), (0, True), (1, True)]),
        "2026-03-03": (1, [(1, True), (1, True), (1, True), (0, False)]),
    }


def test_retention_on_or_after_a_day() -> None:
    answer = retention_by_day(BORN, ACTIVE, zone=UTC, count=4, on_or_after=True, now=_march(6))
    assert [units for units, _ in answer["2026-03-02"][1]] == [2, 1, 1, 1]


def test_a_gap_of_exactly_the_limit_is_no_cut() -> None:
    assert sessions([0, 1_800_000, 3_600_001]) == [[0, 1_800_000], [3_600_001]]


def test_aliases_are_followed_to_their_end_and_a_cycle_is_its_smallest_text() -> None:
    end_of = follow_aliases([("a", "b"), ("b", "c"), ("y", "x"), ("x", "y"), ("in", "y"), ("self", "self")])
    assert [end_of(name) for name in ["a", "b", "c", "x", "y", "in", "self", "new"]] == [
        *("c", "c", "c", "x", "x", "x", "self", "new"),
    ]


def test_shares_have_six_decimals() -> None:
    assert [share(30, 31), share(1, 31), share(0, 0)] == [0.967742, 0.032258, 0.0]


@settings(max_examples=60, deadline=None)
@given(
    journeys=st.lists(st.lists(st.sampled_from("abcd"), max_size=7), max_size=12),
    start=st.sampled_from([None, "a"]),
    depth=st.integers(1, 5),
    collapse=st.booleans(),
    top=st.integers(1, 3),
)
def test_units_into_a_node_are_its_units_out_and_its_exits(
    journeys: list[list[str]], start: str | None, depth: int, *, collapse: bool, top: int
) -> None:
    flow = paths(journeys, start=start, depth=depth, collapse=collapse, top=top)
    for (place, value), units in flow.nodes.items():
        out = sum(n for (at, before, _), n in flow.links.items() if (at, before) == (place, value))
        into = sum(n for (at, _, after), n in flow.links.items() if (at + 1, after) == (place, value))
        assert units == out + flow.exits.get((place, value), 0)
        assert place == 1 or units == into
