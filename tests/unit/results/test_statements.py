"""The SQL of result tables: ddl and modes."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from psycopg import sql

from logdrain.errors import ResultColumnConflict
from logdrain.model.jobs import Mode
from logdrain.results.postgres import ddl
from logdrain.results.postgres.modes import Placement, mode_statements, slice_key, strangers
from logdrain.results.postgres.widening import AddColumn, Change, DropColumn, SetType, TableColumn
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import Column, Kind, PostgresType, result_columns

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
    assert created[3].startswith('COMMENT ON COLUMN "analytics"."pay"."coupon" IS \'No value yet')


@pytest.mark.parametrize(
    ("unix_time", "slice_column", "said"),
    [
        (False, None, "'Unix seconds in the query, an instant here.'"),
        (True, None, "'Unix seconds.'"),
        (True, "time", "from 00:00 to 01:00. Unix seconds.'"),
    ],
)
def test_the_unit_of_time_is_said(*, unix_time: bool, slice_column: str | None, said: str) -> None:
    schema = pa.schema([pa.field("time", pa.int64()), pa.field("n", pa.int64())])
    created = texts(
        ddl.create_table(TABLE, result_columns(schema, unix_time=unix_time), slice_column, "pay_hourly")
    )
    assert created[2].startswith('COMMENT ON COLUMN "analytics"."pay"."time" IS ')
    assert created[2].endswith(said)
    assert len(created) == 3


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
        DropColumn("gone"),
    ]
    alter, comment = texts(ddl.alter_table(TABLE, changes))
    assert alter == (
        'ALTER TABLE "analytics"."pay" ADD COLUMN "n" double precision, '
        'ALTER COLUMN "a" TYPE numeric(21,2) USING "a"::numeric(21,2), '
        'ALTER COLUMN "b" TYPE bigint USING NULL::bigint, '
        'DROP COLUMN "gone"'
    )
    assert comment == 'COMMENT ON COLUMN "analytics"."pay"."b" IS NULL'
    assert ddl.alter_table(TABLE, []) == []


def test_append_replaces_a_slice() -> None:
    gets = columns(time=pa.int64(), sum=pa.int64(), coupon=pa.null())
    has = [TableColumn("time", PostgresType(Kind.TIMESTAMPTZ), "timestamp with time zone")]
    key = slice_key(gets, "time", SLICE)
    delete, insert = texts(mode_statements(Mode.APPEND, Placement(TABLE, has, gets, key)))
    assert delete == (
        'DELETE FROM "analytics"."pay" WHERE "time" = '
        "CAST('2012-03-01 00:00:00+00:00'::timestamptz AS timestamp with time zone)::timestamp with time zone"
    )
    assert insert == (
        'INSERT INTO "analytics"."pay" AS "present" ("time", "sum", "coupon") '
        'SELECT "time", "sum", NULL FROM "pg_temp"."logdrain_staging"'
    )


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_puts_the_rows_in_place_at_last(mode: Mode) -> None:
    gets = columns(uid=pa.int64())
    *_, last = texts(mode_statements(mode, Placement(TABLE, [], gets, None, gets)))
    assert last.startswith('INSERT INTO "analytics"."pay"')


def test_append_without_a_slice_column_only_inserts() -> None:
    [insert] = texts(mode_statements(Mode.APPEND, Placement(TABLE, [], columns(sum=pa.int64()))))
    assert insert.startswith("INSERT INTO")


@pytest.mark.parametrize(
    ("mode", "verbs"), [(Mode.REPLACE, ["INSERT"]), (Mode.TRUNCATE, ["DELETE", "INSERT"])]
)
def test_what_holds_one_slice_asks_for_no_lock_that_readers_feel(mode: Mode, verbs: list[str]) -> None:
    key = slice_key(columns(time=pa.int64()), "time", SLICE)
    statements = texts(mode_statements(mode, Placement(TABLE, [], columns(time=pa.int64()), key)))
    assert [statement.split()[0] for statement in statements] == verbs
    assert all("WHERE" not in statement for statement in statements)


def test_update_puts_rows_in_the_place_of_their_key() -> None:
    gets = columns(category=pa.string(), uid=pa.int64(), sum=pa.int64(), coupon=pa.null())
    [upsert] = texts(mode_statements(Mode.UPDATE, Placement(TABLE, [], gets, None, (gets[1], gets[0]))))
    assert upsert == (
        'INSERT INTO "analytics"."pay" AS "present" ("category", "uid", "sum", "coupon") '
        'SELECT "category", "uid", "sum", NULL FROM "pg_temp"."logdrain_staging" '
        'ON CONFLICT ("uid", "category") '
        'DO UPDATE SET "sum" = excluded."sum", "coupon" = excluded."coupon"'
    )


def test_update_of_nothing_but_the_key_leaves_the_row_alone() -> None:
    gets = columns(uid=pa.int64())
    [upsert] = texts(mode_statements(Mode.UPDATE, Placement(TABLE, [], gets, None, gets)))
    assert upsert.endswith('ON CONFLICT ("uid") DO NOTHING')


def test_update_leaves_rows_of_a_newer_slice_alone() -> None:
    gets = columns(time=pa.int64(), uid=pa.int64())
    key = slice_key(gets, "time", SLICE)
    [upsert] = texts(mode_statements(Mode.UPDATE, Placement(TABLE, [], gets, key, gets[1:])))
    assert upsert.endswith(' WHERE ("present"."time" > excluded."time") IS NOT TRUE')
    [in_key] = texts(mode_statements(Mode.UPDATE, Placement(TABLE, [], gets, key, gets)))
    assert "WHERE" not in in_key


def test_an_index() -> None:
    gets = columns(time=pa.int64(), uid=pa.int64())
    index = ddl.create_index(TABLE, gets, is_unique=True).as_string()
    assert index == 'CREATE UNIQUE INDEX ON "analytics"."pay" ("time", "uid")'
    assert ddl.create_index(TABLE, gets[:1], is_unique=False).as_string() == (
        'CREATE INDEX ON "analytics"."pay" ("time")'
    )


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
