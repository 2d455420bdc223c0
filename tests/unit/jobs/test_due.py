from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdrain.jobs.cron import parse
from logdrain.jobs.due import ON_TIME_S, SKIPPED_ROWS_MAX, plan
from logdrain.model.jobs import CatchUp, Due

MIDNIGHT = datetime(2024, 5, 1, tzinfo=UTC)
HOURLY = parse("@hourly", "UTC")


def hour(number: int) -> datetime:
    return MIDNIGHT + timedelta(hours=number)


def hours(*numbers: int) -> tuple[datetime, ...]:
    return tuple(hour(number) for number in numbers)


def due(now: datetime, catch_up: CatchUp, *, catch_up_max: int = 1000, delay_s: int = 0) -> Due:
    return plan(HOURLY, MIDNIGHT, now, delay_s=delay_s, catch_up=catch_up, catch_up_max=catch_up_max)


@pytest.mark.parametrize("catch_up", CatchUp)
def test_a_slice_on_time_always_runs(catch_up: CatchUp) -> None:
    for late_s in (0, ON_TIME_S):
        planned = due(MIDNIGHT + timedelta(seconds=late_s), catch_up, catch_up_max=0)
        assert planned == Due(hours(0), (), None, hour(1))


def test_missed_slices_by_policy() -> None:
    now = hour(4) - timedelta(minutes=10)
    assert due(now, CatchUp.ALL) == Due(hours(0, 1, 2, 3), (), None, hour(4))
    assert due(now, CatchUp.ALL, catch_up_max=2) == Due(hours(2, 3), hours(0, 1), None, hour(4))
    assert due(now, CatchUp.LATEST) == Due(hours(3), hours(0, 1, 2), None, hour(4))
    assert due(now, CatchUp.NONE) == Due((), hours(0, 1, 2, 3), None, hour(4))


def test_one_that_is_on_time_is_the_latest() -> None:
    now = hour(3) + timedelta(minutes=10)
    assert due(now, CatchUp.LATEST) == Due(hours(3), hours(0, 1, 2), None, hour(4))
    assert due(now, CatchUp.NONE) == Due(hours(3), hours(0, 1, 2), None, hour(4))


@pytest.mark.parametrize("catch_up", CatchUp)
def test_a_slice_whose_delay_has_not_passed_was_not_missed(catch_up: CatchUp) -> None:
    planned = due(hour(2) + timedelta(minutes=50), catch_up, delay_s=3 * 3600)
    assert planned == Due(hours(0, 1, 2), (), None, hour(3))


def test_a_cron_that_has_ended_has_no_next() -> None:
    never = plan(parse("", "UTC"), MIDNIGHT, hour(1), delay_s=0, catch_up=CatchUp.ALL, catch_up_max=9)
    assert never == Due((), (), None, None)


@settings(deadline=None, max_examples=50)
@given(pause_h=st.integers(0, 60), minutes=st.integers(0, 59), catch_up_max=st.integers(0, 90))
def test_every_instant_is_either_run_or_skipped(pause_h: int, minutes: int, catch_up_max: int) -> None:
    now = hour(pause_h) + timedelta(minutes=minutes)
    for catch_up in CatchUp:
        planned = due(now, catch_up, catch_up_max=catch_up_max)
        assert (*planned.skipped, *planned.waiting) == hours(*range(pause_h + 1))
        assert planned.next_at == hour(pause_h + 1)


def test_five_years_of_every_minute_are_bounded() -> None:
    start = datetime(2015, 1, 1, tzinfo=UTC)
    now = datetime(2020, 1, 1, tzinfo=UTC)
    minutely = parse("* * * * *", "America/Los_Angeles")
    planned = plan(minutely, start, now, delay_s=0, catch_up=CatchUp.ALL, catch_up_max=1000)
    assert planned.waiting[-1] == now
    assert (len(planned.waiting), len(planned.skipped)) == (1 + 1000, SKIPPED_ROWS_MAX)
    assert planned.unrecorded == (start, planned.skipped[0])
    instants = [*planned.skipped, *planned.waiting]
    assert all(later - earlier == timedelta(minutes=1) for earlier, later in pairwise(instants))


def test_rare_instants_of_many_years_are_all_found() -> None:
    leap_days = parse("0 0 29 2 *", "UTC")
    start = datetime(1920, 2, 29, tzinfo=UTC)
    planned = plan(
        leap_days, start, datetime(2020, 1, 1, tzinfo=UTC), delay_s=0, catch_up=CatchUp.ALL, catch_up_max=1000
    )
    assert [instant.year for instant in planned.waiting] == list(range(1920, 2020, 4))
    assert planned.unrecorded is None
