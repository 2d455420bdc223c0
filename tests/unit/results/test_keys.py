"""The key of mode update."""

import re

import pyarrow as pa
import pytest

from logdrain.errors import ResultColumnConflict, ResultRefused
from logdrain.results.postgres.unique_key import (
    check_keys,
    key_columns,
    not_unique,
    rows_with_equal_key,
    rows_without_key,
)
from logdrain.results.tables import TableName
from logdrain.types.postgres_types import Column, result_columns

TABLE = TableName("public", "pay")
LONG = "é" * 40


def columns(*names: str) -> tuple[Column, ...]:
    return result_columns(pa.schema([(name, pa.int64()) for name in names]), unix_time=False)


def test_the_key_is_named_as_the_query_names_its_columns() -> None:
    keys = key_columns(columns("sum", LONG, "uid"), ("uid", LONG))
    assert [key.label for key in keys] == ["uid", LONG]
    assert len(keys[1].name.encode()) <= 63
    assert key_columns(columns("sum"), ()) == ()


@pytest.mark.parametrize(
    ("name", "hint"), [("categry", "did you mean 'category'?"), ("x", "it yields uid, category")]
)
def test_a_column_that_the_query_has_not(name: str, hint: str) -> None:
    with pytest.raises(ResultColumnConflict, match=f'no column "{name}", which unique= names') as raised:
        key_columns(columns("uid", "category"), ("uid", name))
    assert raised.value.hint == hint


def test_what_is_counted() -> None:
    keys = columns("uid", 'a"b')
    assert rows_without_key(keys).as_string().endswith('WHERE "uid" IS NULL OR "a""b" IS NULL')
    assert 'GROUP BY "uid", "a""b" HAVING count(*) > 1' in rows_with_equal_key(keys).as_string()


@pytest.mark.parametrize(
    ("without", "repeated", "message", "hint"),
    [
        (2, 0, '2 rows for table "public"."pay" have NULL in a column of the key (uid, day)', "COALESCE(uid"),
        (0, 3, '3 rows for table "public"."pay" repeat the key (uid, day) of another row', "GROUP BY"),
        (2, 3, "2 rows", "COALESCE"),
    ],
)
def test_rows_that_a_key_does_not_tell_apart(without: int, repeated: int, message: str, hint: str) -> None:
    with pytest.raises(ResultRefused, match=re.escape(message)) as raised:
        check_keys(TABLE, columns("uid", "day"), without=without, repeated=repeated)
    assert hint in raised.value.hint


def test_a_good_key_says_nothing() -> None:
    check_keys(TABLE, columns("uid"), without=0, repeated=0)


def test_a_table_that_cannot_be_made_unique_says_how_to_find_the_rows() -> None:
    error = not_unique(TABLE, columns("uid", "day"))
    assert "(uid, day)" in error.message
    assert error.hint.endswith('FROM "public"."pay" GROUP BY "uid", "day" HAVING count(*) > 1')
