"""The SQL of result tables: ddl and modes."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from psycopg import sql

from logdrain.errors import ResultColumnConflict
from logdrain.model.jobs import Mode
from logdrain.results import ddl
from logdrain.results.columns import Column, Kind, PostgresType, result_columns
from logdrain.results.ddl import TableName
from logdrain.results.modes import mode_statements, slice_key, strangers
from logdrain.results.widening import AddColumn, Change, SetType, TableColumn

TABLE = TableName("analytics", "pay")
SLICE = datetime(2012, 3, 1, tzinfo=UTC)


def columns(**arrow: Any) -> tuple[Column, ...]:
    return result_columns(pa.schema([pa.field(name, of) for name, of in arrow.items()]), unix_time=False)


def texts(statements: list[sql.Composed]) -> list[str]:
    return [statement.as_string() for statement in statements]


def test_a_table_with_a_slice_column() -> None:
    created = texts(ddl.create_table(TABLE, columns(time=pa.int64(), coupon=pa.null()), "time", "pay_hourly"))
    assert created[:2] == [
        'CREATE TABLE "analytics"."pay" ("time" timestamp with time zone, "coupon" text)',
        """COMMENT ON TABLE "analytics"."pay" IS 'Written by logdrain, schedule pay_hourly.'""",
    ]
    assert "END of the window: TD_SCHEDULED_TIME()" in created[2]
    assert created[3] == 'CREATE INDEX ON "analytics"."pay" ("time")'
    assert created[4].startswith('COMMENT ON COLUMN "analytics"."pay"."coupon" IS \'No value yet')


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    evil = TableName('a"b', "c'd")
    schema = pa.schema([pa.field('x"); DROP TABLE y; --', pa.int64())])
    created = texts(ddl.create_table(evil, result_columns(schema, unix_time=False), None, "it's; --"))
    assert created == [
        'CREATE TABLE "a""b"."c\'d" ("x""); DROP TABLE y; --" bigint)',
        """COMMENT ON TABLE "a""b"."c'd" IS 'Written by logdrain, schedule it''s; --.'""",
    ]


def test_all_changes_are_one_statement() -> None:
    changes: list[Change] = [
        AddColumn(columns(n=pa.float64())[0]),
        SetType("a", PostgresType(Kind.NUMERIC, 21, 2), is_empty=False),
        SetType("b", PostgresType(Kind.BIGINT), is_empty=True),
    ]
    alter, comment = texts(ddl.alter_table(TABLE, changes))
    assert alter == (
        'ALTER TABLE "analytics"."pay" ADD COLUMN "n" double precision, '
        'ALTER COLUMN "a" TYPE numeric(21,2) USING "a"::numeric(21,2), '
        'ALTER COLUMN "b" TYPE bigint USING NULL::bigint'
    )
    assert comment == 'COMMENT ON COLUMN "analytics"."pay"."b" IS NULL'
    assert ddl.alter_table(TABLE, []) == []


def test_append_replaces_a_slice() -> None:
    gets = columns(time=pa.int64(), sum=pa.int64(), coupon=pa.null())
    has = [TableColumn("time", PostgresType(Kind.TIMESTAMPTZ), "timestamp with time zone")]
    key = slice_key(gets, "time", SLICE)
    delete, insert = texts(mode_statements(Mode.APPEND, TABLE, has, gets, key))
    assert delete == (
        'DELETE FROM "analytics"."pay" WHERE "time" = '
        "CAST('2012-03-01 00:00:00+00:00'::timestamptz AS timestamp with time zone)::timestamp with time zone"
    )
    assert insert == (
        'INSERT INTO "analytics"."pay" ("time", "sum", "coupon") '
        'SELECT "time", "sum", NULL FROM "pg_temp"."logdrain_staging"'
    )


def test_append_without_a_slice_column_only_inserts() -> None:
    [insert] = texts(mode_statements(Mode.APPEND, TABLE, [], columns(sum=pa.int64()), None))
    assert insert.startswith("INSERT INTO")


def test_every_mode_has_its_statements() -> None:
    for mode in Mode:
        assert mode_statements(mode, TABLE, [], columns(sum=pa.int64()), None)


@pytest.mark.parametrize(
    ("arrow", "value"),
    [
        (pa.int64(), "CAST(1330560000 AS bigint)"),
        (pa.float64(), "CAST(1330560000 AS double precision)"),
        (pa.timestamp("us"), "CAST('2012-03-01 00:00:00'::timestamp AS timestamp without time zone)"),
    ],
    ids=str,
)
def test_the_slice_in_the_columns_type(arrow: pa.DataType, value: str) -> None:
    key = slice_key(columns(hour=arrow), "hour", SLICE)
    assert key is not None
    assert key.value.as_string() == value
    assert strangers(key).as_string().endswith(f'WHERE "hour" IS DISTINCT FROM {value}')


def test_a_slice_column_that_holds_no_time_is_refused() -> None:
    with pytest.raises(ResultColumnConflict, match='column "hour" is text'):
        slice_key(columns(hour=pa.string()), "hour", SLICE)
    with pytest.raises(ResultColumnConflict, match='no column "time"'):
        slice_key(columns(hour=pa.int64()), "time", SLICE)
    assert slice_key(columns(hour=pa.int64()), None, SLICE) is None
