"""TD_SCHEDULED_TIME, TD_TIME_ADD, TD_TIME_RANGE, on the engine."""

from typing import Any

import pytest

from logdrain.errors import NumberOverflow, SqlTypeError
from logdrain.model.plans import Dialect, TimeRange
from tests.unit.query.event_tables import SCHEDULED_TIME_S, one, plan, rows, select


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("TD_SCHEDULED_TIME()", SCHEDULED_TIME_S),
        ("td_scheduled_time() - 3600", SCHEDULED_TIME_S - 3600),
        ("TD_TIME_ADD(1576110613, '1d12h30m')", 1576242013),
        ("TD_TIME_ADD(0, '1d')", 86_400),
        ("TD_TIME_ADD(-5, '-1h')", -3605),
        ("TD_TIME_ADD('2013-01-01', '1d')", 1357084800),
        ("TD_TIME_ADD('2013-01-01', '1d', 'JST')", 1357084800 - 9 * 3600),
        ("TD_TIME_ADD('2013-01-01 UTC', '1d', 'JST')", 1357084800),
        ("TD_TIME_ADD('2013-01-01' || ' 01:00:00', CONCAT('-', '1h'))", 1356998400),
        ("TD_TIME_ADD(TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1d'), '1h')", SCHEDULED_TIME_S - 82_800),
        ("TD_TIME_ADD(NULL, '1d')", None),
        ("TD_TIME_ADD(0, NULL)", None),
        ("TD_TIME_RANGE(1357000000, '2013-01-01', '2013-01-02')", True),
        ("TD_TIME_RANGE(1356998400, '2013-01-01', '2013-01-02')", True),  # the start belongs to it
        ("TD_TIME_RANGE(1357084800, '2013-01-01', '2013-01-02')", False),  # the end does not
        ("TD_TIME_RANGE(1357084800, '2013-01-01', NULL)", True),
        ("TD_TIME_RANGE(0, NULL, '2013-01-02')", True),
        ("TD_TIME_RANGE(0, NULL, NULL)", True),
        ("TD_TIME_RANGE(NULL, 1, 2)", None),
        ("TD_TIME_RANGE(5, 5, 6)", True),
        ("TD_TIME_RANGE(1356966000, '2013-01-01', '2013-01-02', 'JST')", True),
        ("TD_TIME_RANGE(1356966000, '2013-01-01 UTC', '2013-01-02', 'JST')", False),
        ("TD_TIME_RANGE(1357023600, '2013-01-01 PDT', '2013-01-02 PDT')", True),
        ("TD_TIME_RANGE(1357023599, '2013-01-01 PDT', '2013-01-02 PDT')", False),
    ],
)
@pytest.mark.parametrize("dialect", list(Dialect))
def test_constant_arguments(expression: str, value: Any, dialect: Dialect) -> None:
    assert one(select(expression), dialect=dialect) == value


def test_the_end_may_be_left_out() -> None:
    planned = plan("SELECT uid FROM pay WHERE TD_TIME_RANGE(time, '2013-01-01')", dialect=Dialect.HIVE)
    assert planned.scans[0].time_range == TimeRange(1356998400, None)


def test_a_zone_in_place_of_the_end_leaves_the_end_open_with_a_warning() -> None:
    planned = plan("SELECT uid FROM pay WHERE TD_TIME_RANGE(time, '2013-01-01', 'JST')")
    assert planned.scans[0].time_range == TimeRange(1356998400, None)
    (warning,) = planned.warnings
    assert "'JST' stands where the end belongs" in warning


def test_columns_as_arguments() -> None:
    sql = "SELECT TD_TIME_ADD(uid, '1m'), TD_TIME_RANGE(time, uid, userId) FROM pay ORDER BY time LIMIT 2"
    assert rows(sql) == [(60, False), (61, False)]


def test_a_text_column_is_parsed_by_the_engine() -> None:
    texts = ["2013-01-01", "2013-01-01 00:00:00 UTC", "JST", None]
    tables = {"production.pay": [{"time": n, "at": text} for n, text in enumerate(texts)]}
    sql = (
        "SELECT TD_TIME_ADD(at, '1h', 'JST'), TD_TIME_RANGE(1356966000, at, NULL, 'JST') FROM pay ORDER BY 1"
    )
    assert rows(sql, tables) == [(1356969600, True), (1357002000, False), (None, None), (None, None)]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("TD_TIME_ADD(0, '1x')", "line 1, column 23: TD_TIME_ADD: '1x' is no duration"),
        ("TD_TIME_ADD(0, 5)", "line 1, column 23: TD_TIME_ADD: 5 is no duration"),
        ("TD_TIME_ADD(0, uid)", "line 1, column 23: TD_TIME_ADD: pay.uid is BIGINT, no duration"),
        ("TD_TIME_ADD('soon', '1d')", "line 1, column 20: TD_TIME_ADD: 'soon' is no time"),
        ("TD_TIME_ADD(1.5, '1d')", "line 1, column 20: TD_TIME_ADD: 1.5 is no time"),
        ("TD_TIME_ADD(0)", "line 1, column 8: TD_TIME_ADD takes 2 or 3 arguments, not 1"),
        ("TD_SCHEDULED_TIME(1)", "line 1, column 8: TD_SCHEDULED_TIME takes 0 arguments, not 1"),
        ("TD_TIME_RANGE(time, '2013-13-01')", "line 1, column 28: TD_TIME_RANGE: '2013-13-01' is no time"),
        ("TD_TIME_RANGE(time, 1, 2, 'Mars')", "line 1, column 34: TD_TIME_RANGE: 'Mars' is no time zone"),
    ],
)
def test_wrong_arguments_are_named_with_their_place(expression: str, message: str) -> None:
    with pytest.raises(SqlTypeError) as error:
        plan(select(expression, "pay"))
    assert error.value.located == message


def test_a_time_beyond_bigint() -> None:
    with pytest.raises(NumberOverflow, match="line 1, column 8: TD_TIME_ADD"):
        plan("SELECT TD_TIME_ADD(9223372036854775807, '1s')")
