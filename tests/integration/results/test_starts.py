"""Where slices begin: `time=start`, and the view by the start of each slice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.model.jobs import Claim, Mode
from tests.integration.results.result_table import (
    CLAIM,
    HOUR,
    SLICE,
    ResultTable,
    as_poor_role,
    as_stream,
    next_claim,
)

VIEW = "payment_history_by_start"


def claim_at(instant: datetime, cron: str = "@hourly", zone: str = "UTC") -> Claim:
    schedule = replace(CLAIM.schedule, cron=cron, timezone=zone)
    return replace(CLAIM, schedule=schedule, scheduled_at=instant)


def write(table: ResultTable, claim: Claim, *, slice_column: str = "time", **more: object) -> None:
    seconds = int(claim.scheduled_at.timestamp())
    table.write({slice_column: [seconds], "sum": [1], **more}, claim, slice_column=slice_column)


def times(table: ResultTable, name: str = VIEW) -> list[datetime]:
    return [time for (time,) in table.execute(f"SELECT time FROM {name} ORDER BY time")]  # noqa: S608


def test_the_view_has_the_start_of_each_hour(table: ResultTable) -> None:
    for hours in range(3):
        write(table, claim_at(SLICE + hours * HOUR))
    assert times(table, "payment_history") == [SLICE + hours * HOUR for hours in range(3)]
    assert times(table) == [SLICE + hours * HOUR for hours in range(-1, 2)]
    by_day = "SELECT date_trunc('day', time), sum(sum)::int FROM {} GROUP BY 1 ORDER BY 1"
    day = timedelta(days=1)
    assert table.execute(by_day.format(VIEW)) == [(SLICE - day, 1), (SLICE, 2)]
    assert table.execute(by_day.format("payment_history")) == [(SLICE, 3)]


def test_a_day_of_a_zone_begins_at_its_midnight(table: ResultTable) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    days = [datetime(2026, 3, day, tzinfo=berlin) for day in (29, 30, 31)]
    for day in days[1:]:
        write(table, claim_at(day.astimezone(UTC), "@daily", "Europe/Berlin"))
    assert times(table) == [day.astimezone(UTC) for day in days[:2]]


def test_a_table_of_before_has_the_starts_of_all_its_rows(table: ResultTable) -> None:
    write(table, claim_at(SLICE))
    write(table, claim_at(SLICE + HOUR))
    table.execute(f"DROP VIEW {VIEW}; DROP TABLE logdrain_starts")
    write(table, claim_at(SLICE + 2 * HOUR))
    assert times(table) == [SLICE + hours * HOUR for hours in range(-1, 2)]


@pytest.mark.parametrize("unix_time", [True, False])
def test_the_view_follows_the_tables_columns(table: ResultTable, *, unix_time: bool) -> None:
    table.unix_time = unix_time
    table.mode = Mode.REPLACE
    write(table, claim_at(SLICE), label=["a"], gone=[1])
    table.execute(f"GRANT SELECT ON {VIEW} TO PUBLIC")
    write(table, claim_at(SLICE + HOUR), label=["a"], gone=[1], coupon=pa.nulls(1))
    write(table, claim_at(SLICE + 2 * HOUR), label=["a"], coupon=["x"], price=[0.5])
    [row] = table.execute(f"SELECT * FROM {VIEW}")  # noqa: S608
    start = SLICE + HOUR
    assert row == (int(start.timestamp()) if unix_time else start, 1, "a", "x", 0.5)
    assert table.execute(f"SELECT has_table_privilege('public', '{VIEW}', 'SELECT')") == [(True,)]


def test_a_slice_column_of_another_name_is_shown_by_start_too(table: ResultTable) -> None:
    write(table, claim_at(SLICE), slice_column="hour")
    start_s = int((SLICE - HOUR).timestamp())
    assert table.execute(f"SELECT * FROM {VIEW}") == [(start_s, 1)]  # noqa: S608


def test_what_else_has_the_views_name_is_left_alone(table: ResultTable) -> None:
    table.execute(f"CREATE TABLE {VIEW} (mine int)")
    write(table, claim_at(SLICE))
    assert table.execute(f"SELECT * FROM {VIEW}") == []  # noqa: S608


def test_a_long_name_is_cut(table: ResultTable) -> None:
    table.name = "t" * 60
    write(table, claim_at(SLICE))
    [(view,)] = table.execute("SELECT viewname::text FROM pg_views WHERE viewname LIKE 'tt%'")
    assert view.startswith("t" * 54 + "_")


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.TRUNCATE, Mode.UPDATE])
def test_with_time_start_the_table_has_the_starts(table: ResultTable, mode: Mode) -> None:
    table.time_is_start, table.mode = True, mode
    table.unique = ("time",) if mode is Mode.UPDATE else ()
    first = claim_at(SLICE)
    write(table, first)
    write(table, next_claim(first))  # replaced, not doubled
    write(table, claim_at(SLICE + HOUR))
    found = [SLICE] if mode is Mode.TRUNCATE else [SLICE - HOUR, SLICE]
    assert times(table, "payment_history") == times(table) == found
    [(comment,)] = table.execute("SELECT col_description('payment_history'::regclass, 1)")
    assert comment.startswith("The START of the window")


def test_rows_are_found_again_when_the_cron_has_changed(table: ResultTable) -> None:
    table.time_is_start = True
    write(table, claim_at(SLICE))
    write(table, claim_at(SLICE + HOUR / 2, "*/30 * * * *"))
    write(table, next_claim(claim_at(SLICE, "@daily")))  # late events, after the change
    write(table, claim_at(SLICE + HOUR))  # from the end of the half hour
    assert times(table) == [SLICE - HOUR, SLICE, SLICE + HOUR / 2]
    with pytest.raises(ResultRefused, match="both begin at"):
        write(table, claim_at(SLICE + HOUR / 4, "*/15 * * * *"))


def test_ends_and_starts_are_not_mixed(table: ResultTable) -> None:
    write(table, claim_at(SLICE))
    table.time_is_start = True
    with pytest.raises(ResultRefused, match="has the END of each slice, and the result the START"):
        write(table, claim_at(SLICE + HOUR))
    assert times(table, "payment_history") == [SLICE]
    table.mode = Mode.TRUNCATE
    write(table, claim_at(SLICE + HOUR))
    assert times(table, "payment_history") == times(table) == [SLICE]


def test_rows_that_cannot_carry_the_start_are_refused(table: ResultTable) -> None:
    table.time_is_start = True
    with pytest.raises(ResultColumnConflict, match="needs a column time"):
        write(table, claim_at(SLICE), slice_column="hour")
    with pytest.raises(ResultColumnConflict, match="needs a column time"):
        table.write(as_stream({"time": [1]}), claim_at(SLICE), slice_column=None)
    with pytest.raises(ResultRefused, match="has no cron"):
        write(table, claim_at(SLICE, ""))


def test_a_role_without_rights_on_the_starts_writes_its_rows_all_the_same(table: ResultTable) -> None:
    write(table, claim_at(SLICE))
    with as_poor_role(table) as (role, poor):
        table.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {role}")
        table.execute(f"GRANT ALL ON logdrain_marks TO {role}")
        poor.name = "poor"
        write(poor, replace(claim_at(SLICE + HOUR), run_id=2))
        assert poor.rows() == [(SLICE + HOUR, 1)]
        assert table.execute("SELECT to_regclass('poor_by_start')::text") == [(None,)]
