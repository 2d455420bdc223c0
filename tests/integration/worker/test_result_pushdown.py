"""Filters that Postgres applies to a result table only save work: with and without, the same rows."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from logdrain.model.plans import Dialect, TimeRange
from logdrain.model.queries import Plan, QueryRequest
from logdrain.query.duckdb.engine import DuckdbEngine
from logdrain.query.plan import plan_query
from logdrain.results.read.result_reader import PostgresResultReader

NO_TIME = TimeRange(None, None)
ENGINE = DuckdbEngine(256 * 1024 * 1024, threads=1, temp_folder=None)
TABLE = """
CREATE TABLE public.t AS
SELECT to_timestamp(1330560000 + n * 600 + 0.5) AS time, (n - 5)::bigint AS big, (n % 7)::smallint AS small,
       n / 3.0::double precision AS rate, (n / 4.0)::numeric(8,2) AS cents, n % 2 = 0 AS even,
       (ARRAY['a', 'A', 'b ', 'b', 'é', '', NULL])[1 + n % 7] AS word,
       (ARRAY['a', 'b'])[1 + n % 2]::char(3) AS padded,
       CASE WHEN n % 3 = 0 THEN DATE '2012-03-01' + n END AS day
FROM generate_series(0, 40) AS n
"""
CONDITIONS = (
    "time >= 1330560600 AND time < 1330570000",
    "time = 1330560600",
    "time IN (1330560000, 1330560600) OR time > 1330583000",
    "time > -99999999999999 AND time < 99999999999999",
    "TD_TIME_RANGE(time, '2012-03-01 01:00:00', '2012-03-01 05:00:00')",
    "big > 0 AND big <> 7",
    "big BETWEEN -3 AND 3",
    "small IN (1, 2, 70000)",
    "small = 70000",
    "big > 9223372036854775806",
    "big > 1.5",
    "rate >= 3",
    "cents = 2.25",
    "even = TRUE",
    "even <> TRUE",
    "word = 'a'",
    "word <> 'a'",
    "word > 'a'",
    "word IN ('b ', 'é', '')",
    "word IS NULL",
    "word IS NOT NULL AND NOT word = 'b'",
    "padded = 'a'",
    "padded = 'a  '",
    "day IS NULL",
    "day > DATE '2012-03-20'",
    "word = NULL",
)


@pytest.fixture(scope="module")
def table(postgres_server_url: str) -> Iterator[str]:
    with psycopg.connect(postgres_server_url, autocommit=True) as connection:
        connection.execute(TABLE.encode())
        yield postgres_server_url
        connection.execute(b"DROP TABLE public.t")


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_same_rows_with_and_without(table: str, condition: str) -> None:
    reader = PostgresResultReader(lambda _: table, lambda _: None)
    sql = f"SELECT * FROM result.here.t WHERE {condition}"  # noqa: S608  # the conditions are above
    request = QueryRequest(sql, "", Dialect.TRINO, 1330560000, 1330560000)
    plan = plan_query(request, lambda _: pytest.fail("no events"), [], result_columns=reader.columns)
    [scan] = plan.result_scans
    bare = replace(plan, result_scans=(replace(scan, time_range=NO_TIME, predicates=()),))

    def rows(of: Plan) -> list[str]:
        with ENGINE.run(ENGINE.lower(of), [reader.scan(of.result_scans[0])]) as stream:
            return sorted(repr(row) for batch in stream for row in batch.to_pylist())

    assert rows(plan) == rows(bare)
