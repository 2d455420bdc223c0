"""TD functions of columns: of the type that is documented, also as arguments of each other."""

from typing import Any

import pytest

from logdrain.errors import SqlTypeError
from logdrain.model.plans import Dialect, TimeRange
from tests.unit.query.event_tables import Tables, plan, rows, select


def test_a_duration_from_a_column() -> None:
    table: Tables = {
        "production.pay": [
            {"time": 0, "days": 2, "at": 86_400.9, "text": "2013-01-01", "moved": "1h30m"},
            {"time": 1, "days": -1, "at": -0.5, "text": "no time", "moved": "1M"},
            {"time": 2, "days": None, "at": 0.5, "text": "2013-01-02", "moved": "99999999999999999999d"},
        ]
    }
    expressions = (
        "TD_TIME_ADD(time, CAST(days AS VARCHAR) || 'd', 'jst')",
        "TD_TIME_ADD(text, moved, 'JST')",
        "TD_TIME_ADD(at, moved)",
        "TD_TIME_ADD(at, '1s')",
        "TD_TIME_STRING(at, 's!')",
    )
    assert rows(f"{select(', '.join(expressions), 'pay')} ORDER BY time", table) == [
        (172_800, 1356971400, 91_800, 86_401, "1970-01-02 00:00:00"),
        (-86_399, None, None, 0, "1969-12-31 23:59:59"),
        (None, None, None, 1, "1970-01-01 00:00:00"),
    ]


@pytest.mark.parametrize(
    ("expression", "trino", "hive"),
    [
        ("TD_TIME_PARSE(TD_TIME_FORMAT(time, 'yyyy-MM-dd')) / 7", 190_080_000, 190_080_000.0),
        ("TD_TIME_ADD(TD_TIME_FORMAT(time, 'yyyy-MM-dd', 'JST'), '1d', 'JST')", 1330614000, 1330614000),
        ("TD_TIME_RANGE(time, TD_TIME_STRING(time, 'd!'), TD_TIME_FORMAT(time, 'yyyy-MM-dd'))", False, False),
        ("TD_TIME_FORMAT(time, 'dd') + 1", SqlTypeError, 2.0),
        ("AVG(TD_TIME_FORMAT(time, 'dd'))", SqlTypeError, 1.0),
    ],
)
def test_calls_over_columns_have_the_type_that_is_documented(expression: str, trino: Any, hive: Any) -> None:
    for dialect, value in ((Dialect.TRINO, trino), (Dialect.HIVE, hive)):
        if value is SqlTypeError:
            with pytest.raises(SqlTypeError):
                rows(select(expression, "pay"), dialect=dialect)
        else:
            found = rows(select(expression, "pay LIMIT 1"), dialect=dialect)
            assert [(type(value), value)] == [(type(cell), cell) for (cell,) in found]


def test_a_call_is_named_as_it_was_written() -> None:
    with pytest.raises(SqlTypeError) as error:
        plan("SELECT TD_TIME_FORMAT(time, 'dd') = 1 FROM pay")
    assert error.value.located.endswith("TD_TIME_FORMAT(pay.time, 'dd') is text beside the number 1")


def test_the_present_of_hive_bounds_the_scan() -> None:
    day = "TD_TIME_FORMAT({}, 'yyyy-MM-dd 00:00:00', 'JST')"
    since = day.format("TD_TIME_ADD(unix_timestamp(), '-1d')")
    sql = (
        f"{select('uid', 'pay')} WHERE TD_TIME_RANGE(time, {since}, {day.format('unix_timestamp()')}, 'JST')"
    )
    planned = plan(sql, dialect=Dialect.HIVE)
    assert planned.scans[0].time_range == TimeRange(1330441200, 1330527600)
    assert planned.counts_from_now[0].startswith("UNIX_TIMESTAMP (line 1, column ")
