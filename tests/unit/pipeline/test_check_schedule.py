"""What is said of a schedule before it first runs."""

from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from logdrain.errors import ResultColumnConflict, ResultUrlInvalid
from logdrain.model.jobs import Schedule
from logdrain.model.plans import Plan
from logdrain.pipeline.queries import Queries
from logdrain.pipeline.slices import check_schedule
from logdrain.ports import Ledger

NOW = datetime(2012, 3, 1, tzinfo=UTC)
CANNOT_RUN_AGAIN = (
    "no column is TD_SCHEDULED_TIME(): a slice that has run cannot be run again, nor by itself when events"
    " come late"
)


def warnings(result: str, slice_column: str | None = None) -> tuple[str, ...]:
    queries = Mock(spec=Queries)
    queries.plan.return_value = Mock(
        spec=Plan, warnings=("a warning",), slice_column=slice_column, counts_from_now=(), columns=("uid",)
    )
    schedule = Schedule("pay_hourly", "@hourly", "UTC", 600, "production", "SELECT 1", result=result)
    return check_schedule(schedule, Mock(spec=Ledger), queries, NOW).warnings


@pytest.mark.parametrize("result", ["r:t", "r:t?mode=append", "postgres://host/db/t"])
def test_rows_that_are_added_need_a_slice_column(result: str) -> None:
    assert warnings(result) == ("a warning", CANNOT_RUN_AGAIN)
    assert warnings(result, slice_column="time") == ("a warning",)


@pytest.mark.parametrize(
    "result", ["", "r:t?mode=replace", "r:t?mode=truncate", "r:t?mode=update&unique=uid"]
)
def test_other_modes_are_repeatable_without_one(result: str) -> None:
    assert warnings(result) == ("a warning",)


def test_a_mode_that_is_half_said_is_an_error_now() -> None:
    with pytest.raises(ResultUrlInvalid, match="which columns tell rows apart"):
        warnings("r:t?mode=update")


def test_a_key_that_the_query_does_not_yield_is_an_error_now() -> None:
    with pytest.raises(ResultColumnConflict, match='no column "zz", which unique= names'):
        warnings("r:t?mode=update&unique=uid,zz")
