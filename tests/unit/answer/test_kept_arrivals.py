"""Events arrive while slices take others from memory: each is read, or a note brings the slice back."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from logdrain.answer.kept.scans import KeptScans
from logdrain.model.late import LATE_SETTLES_S
from logdrain.model.plans import Scan
from tests.unit.answer.kept_world import HOUR_S, Seen, World, numbers, scan_of

START_S = 1330560000  # 2012-03-01 00:00:00 UTC


class Step(NamedTuple):
    """What happens next.

    Attributes:
        kind: `begin`, `store` or `end` a delivery, or `slice`.
        of: How many seconds before now its event is; which delivery; how many hours on.
        after_s: How long after the step before.
    """

    kind: str
    of: int
    after_s: int = 0


WAITS_S = st.sampled_from([0, 1, 7, 14, 29])
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.just("begin"), st.integers(0, 60) | st.integers(0, 4 * HOUR_S), WAITS_S),
        st.builds(Step, st.sampled_from(["store", "end"]), st.integers(0, 1), WAITS_S),
        st.builds(Step, st.just("slice"), st.integers(-1, 1), WAITS_S),
    ),
    min_size=4,
    max_size=30,
)


class Slice(NamedTuple):
    """A slice that ran: the store's clock before it did, and the events that it read."""

    began_s: int
    scan: Scan
    found: set[int]


@given(
    steps=STEPS,
    hours=st.integers(3, 8),
    past_hour_s=st.integers(-60, 60),
    size_max_bytes=st.sampled_from([100, 400, 2**20]),
    is_in_order=st.booleans(),
    drain_lags_s=st.sampled_from([0, 9]),
)
def test_every_event_is_read_or_brings_its_slice_back(
    steps: list[Step],
    hours: int,
    past_hour_s: int,
    size_max_bytes: int,
    *,
    is_in_order: bool,
    drain_lags_s: int,
) -> None:
    world = World(START_S + 24 * HOUR_S + past_hour_s, is_in_order=is_in_order, drain_lags_s=drain_lags_s)
    world.events = [Seen(time_s, -time_s) for time_s in range(START_S, world.now_s, 1200)]
    kept = world.kept(size_max_bytes)
    slices = []
    end_s = START_S + 22 * HOUR_S
    for step in [Step("slice", 1), Step("slice", 1), *steps]:
        world.now_s += step.after_s
        match step.kind:
            case "begin":
                world.begin(world.now_s - step.of)
            case "store" | "end" if step.of < len(world.under_way):
                getattr(world, step.kind)(world.under_way[step.of])
            case "slice":
                end_s += step.of * HOUR_S
                slices.append(run_slice(world, kept, scan_of(end_s - hours * HOUR_S, end_s)))
                assert kept.size_bytes <= size_max_bytes
    while world.under_way:
        world.end(world.under_way[0])
    for began_s, scan, found in slices:
        expected = [
            event
            for event in world.within(scan.time_range)
            if has_ended(event.time_s, began_s - LATE_SETTLES_S)
        ]
        assert all(event.number in found or is_noted(world, event.time_s, began_s) for event in expected)


def run_slice(world: World, kept: KeptScans, scan: Scan) -> Slice:
    """Read as a slice does; where no delivery is under way, it has to find just what there is."""
    found = numbers(kept, scan)
    there = {event.number for event in world.within(scan.time_range)}
    assert len(found) == len(set(found))
    assert there.issuperset(found)
    if not world.under_way:
        assert there.issubset(found)
    return Slice(world.now_s, scan, set(found))


def has_ended(time_s: int, now_s: int) -> bool:
    return time_s // HOUR_S * HOUR_S + HOUR_S <= now_s


def is_noted(world: World, time_s: int, began_s: int) -> bool:
    """Whether the ledger asks for a slice again that began to read then."""
    return any(
        note.hour_s == time_s // HOUR_S * HOUR_S and began_s < note.noted_at.timestamp() + LATE_SETTLES_S
        for note in world.noted
    )
