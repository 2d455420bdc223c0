"""What is said of a schedule before it first runs."""

from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from logdrain.answer.queries import Queries
from logdrain.errors import ResultColumnConflict, ResultRefused, ResultUrlInvalid
from logdrain.model.jobs import Schedule
from logdrain.model.queries import Plan
from logdrain.worker.schedule_checks import check_schedule

NOW = datetime(2012, 3, 1, tzinfo=UTC)
CANNOT_RUN_AGAIN = (
    "no column is TD_SCHEDULED_TIME(): a slice that has run cannot be run again, nor by itself when events"
    " come late"
)


def warnings(
    result: str,
    slice_column: str | None = None,
    url: str = "postgres://host/db",
    result_folder: str = "/srv/exports",
) -> tuple[str, ...]:
    queries = Mock(spec=Queries)
    queries.plan.return_value = Mock(
        spec=Plan, warnings=("a warning",), slice_column=slice_column, counts_from_now=(), columns=("uid",)
    )
    schedule = Schedule("pay_hourly", "@hourly", "UTC", 600, "production", "SELECT 1", result=result)
    return check_schedule(schedule, lambda _: url, queries, NOW, result_folder=result_folder).warnings


@pytest.mark.parametrize("result", ["r:t", "r:t?mode=append", "postgres://host/db/t"])
def test_rows_that_are_added_need_a_slice_column(result: str) -> None:
    assert warnings(result) == ("a warning", CANNOT_RUN_AGAIN)
    assert warnings(result, slice_column="time") == ("a warning",)


@pytest.mark.parametrize(
    "result", ["", "r:t?mode=replace", "r:t?mode=truncate", "r:t?mode=update&unique=uid"]
)
def test_other_modes_are_repeatable_without_one(result: str) -> None:
    assert warnings(result) == ("a warning",)


def test_files_need_no_slice_column() -> None:
    assert warnings("file:///srv/exports/t") == ("a warning",)
    assert warnings("r:t", url="file:///srv/exports") == ("a warning",)
    assert warnings("r:t", url="env:EXPORTS") == ("a warning", CANNOT_RUN_AGAIN)  # the worker's to know


def test_files_that_may_not_be_written_are_an_error_now() -> None:
    with pytest.raises(ResultRefused, match="/etc/t is not below /srv/exports"):
        warnings("file:///etc/t")
    with pytest.raises(ResultRefused, match="/etc/t is not below /srv/exports"):
        warnings("r:t", url="file:///etc")
    said = "only workers with LOGDRAIN_RESULT_FOLDER write files, below it"
    assert warnings("file:///etc/t", result_folder="") == (said, "a warning")


@pytest.mark.parametrize(
    ("result", "url"),
    [
        ("r:t?mode=update&unique=uid", "file:///srv/exports"),
        ("r:t?schema=s", "file:///srv/exports"),
        ("r:t?format=csv", "postgres://host/db"),
        ("file:///srv/exports/t?ssl=true", ""),
    ],
)
def test_options_of_the_other_kind_of_result_are_an_error_now(result: str, url: str) -> None:
    with pytest.raises(ResultUrlInvalid):
        warnings(result, url=url)


def test_a_mode_that_is_half_said_is_an_error_now() -> None:
    with pytest.raises(ResultUrlInvalid, match="which columns tell rows apart"):
        warnings("r:t?mode=update")


def test_a_key_that_the_query_does_not_yield_is_an_error_now() -> None:
    with pytest.raises(ResultColumnConflict, match='no column "zz", which unique= names'):
        warnings("r:t?mode=update&unique=uid,zz")
