"""TD_INTERVAL on the present that Treasure Data's own examples have."""

import pytest

from logdrain.model.catalog import TableCatalog
from logdrain.model.plans import Dialect
from logdrain.model.queries import QueryRequest
from logdrain.query.duckdb.lower import lower
from logdrain.query.plan import plan_query
from logdrain.query.values.scalars import PARSE
from tests.unit.query.event_tables import NOW_S, plan


@pytest.mark.parametrize(
    ("interval", "start", "end"),
    [
        ("-1d", "2016-05-21", "2016-05-22"),
        ("1d", "2016-05-22", "2016-05-23"),
        ("1w", "2016-05-16", "2016-05-23"),
        ("-1w", "2016-05-09", "2016-05-16"),
        ("1M", "2016-05-01", "2016-06-01"),
        ("1q", "2016-04-01", "2016-07-01"),
        ("-1q", "2016-01-01", "2016-04-01"),
        ("1y", "2016-01-01", "2017-01-01"),
        ("-7d", "2016-05-15", "2016-05-22"),
        ("-7d/-2d", "2016-05-13", "2016-05-20"),
        ("-1w/-1w", "2016-05-02", "2016-05-09"),
        ("0d/now", "2016-05-22", "2016-05-22 01:00:00"),
        ("-1h/now", "2016-05-22 00:00:00", "2016-05-22 01:00:00"),
        ("-1d/2016-05-20", "2016-05-19", "2016-05-20"),
    ],
)
def test_intervals_of_the_reference(interval: str, start: str, end: str) -> None:
    base_s = 1463846400  # 2016-05-22 01:00 in Japan
    sql = f"SELECT TD_INTERVAL_RANGE('{interval}', 'JST') -- TD_SCHEDULED_TIME()"
    planned = lower(plan_query(QueryRequest(sql, "", Dialect.TRINO, base_s, NOW_S), TableCatalog, []))
    bounds = [PARSE(text, "Asia/Tokyo") for text in (start, end)]
    assert all(f"CAST({bound} AS BIGINT)" in planned.sql for bound in bounds)


def test_what_counts_from_now_is_noted() -> None:
    assert plan("SELECT uid FROM pay WHERE TD_INTERVAL(time, '-1h')").counts_from_now == (
        "TD_INTERVAL (line 1, column 27)",
    )
    assert plan("SELECT uid, NOW() FROM pay").counts_from_now
    sql = "SELECT uid FROM pay WHERE TD_INTERVAL(time, '-1h') -- TD_SCHEDULED_TIME()"
    assert plan(sql).counts_from_now == ()
