from dataclasses import replace
from datetime import UTC, datetime

import pytest

from logdrain.errors import LeaseLost, SliceNotRepeatable
from logdrain.model.jobs import Cause, Claim, Schedule
from logdrain.results.postgres.notes import Mark, rows_written_before

CLAIM = Claim(
    run_id=70,
    schedule=Schedule("pay_hourly", "@hourly", "UTC", 600, "production", "SELECT 1"),
    scheduled_at=datetime(2012, 3, 1, tzinfo=UTC),
    cause=Cause.SCHEDULE,
    fence=7,
    attempt=2,
    forced=False,
    ran_before=False,
)
RAN = replace(CLAIM, ran_before=True)
FORCED = replace(RAN, forced=True)

LATER = Mark(run_id=71, fence=8, rows=3, is_here=True)
OWN = Mark(run_id=70, fence=7, rows=3, is_here=True)
SAME_REQUEST = Mark(run_id=60, fence=6, rows=3, is_here=True)
EARLIER_REQUEST = Mark(run_id=50, fence=5, rows=3, is_here=True)
OLD_SCHEDULE = Mark(run_id=50, fence=9, rows=3, is_here=True)


@pytest.mark.parametrize("is_replaceable", [True, False])
@pytest.mark.parametrize("claim", [CLAIM, RAN, FORCED])
def test_a_later_run_has_the_slice(claim: Claim, is_replaceable: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    with pytest.raises(LeaseLost, match=r"slice 2012-03-01T00:00:00\+00:00 of schedule pay_hourly"):
        rows_written_before(claim, LATER, is_replaceable=is_replaceable)
    with pytest.raises(LeaseLost):
        rows_written_before(claim, LATER._replace(is_here=False), is_replaceable=is_replaceable)


@pytest.mark.parametrize("is_replaceable", [True, False])
@pytest.mark.parametrize("claim", [CLAIM, RAN, FORCED])
def test_ones_own_commit_is_not_repeated(claim: Claim, is_replaceable: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    assert rows_written_before(claim, OWN, is_replaceable=is_replaceable) == 3


@pytest.mark.parametrize("mark", [None, SAME_REQUEST, EARLIER_REQUEST, OLD_SCHEDULE])
@pytest.mark.parametrize("claim", [CLAIM, RAN, FORCED])
def test_rows_that_can_be_replaced_are_written(claim: Claim, mark: Mark | None) -> None:
    assert rows_written_before(claim, mark, is_replaceable=True) is None


@pytest.mark.parametrize(
    ("claim", "mark", "rows"),
    [
        (CLAIM, None, None),
        (CLAIM, SAME_REQUEST, 3),
        (CLAIM, EARLIER_REQUEST, 3),
        (CLAIM, OLD_SCHEDULE, 3),
        (CLAIM, SAME_REQUEST._replace(is_here=False), None),
        (RAN, SAME_REQUEST, 3),
        (FORCED, None, None),
        (FORCED, SAME_REQUEST, 3),
        (FORCED, EARLIER_REQUEST, None),
        (FORCED, OLD_SCHEDULE, None),
        (replace(FORCED, ran_before=False), EARLIER_REQUEST, 3),
    ],
)
def test_rows_that_cannot_be_replaced(claim: Claim, mark: Mark | None, rows: int | None) -> None:
    assert rows_written_before(claim, mark, is_replaceable=False) == rows


@pytest.mark.parametrize("mark", [None, EARLIER_REQUEST, OLD_SCHEDULE, OWN._replace(is_here=False)])
def test_what_ran_before_is_not_added_again(mark: Mark | None) -> None:
    with pytest.raises(SliceNotRepeatable, match="has run") as raised:
        rows_written_before(RAN, mark, is_replaceable=False)
    assert "TD_SCHEDULED_TIME() AS time" in raised.value.hint
    assert "--force" in raised.value.hint
