"""Trino's casts read and print what Trino does, of constants and of columns."""

from typing import Any

import pytest

from logdrain.errors import SqlTypeError
from tests.unit.query.event_tables import Tables, one, rows, select

TEXTS = ["12", "+12", "-12", "1.5", "1e3", "1_000", "0x1F", " 12 ", "", "yes", "t", "TRUE", "0", "NaN"]
WHOLE = [12, 12, -12, None, None, None, None, None, None, None, None, None, 0, None]
TABLES: Tables = {
    "production.pay": [
        *({"time": n, "n": n, "s": text} for n, text in enumerate(TEXTS)),
        {"time": 99, "n": 99, "s": None},
    ],
    "production.mixed": [{"time": n, "n": n, "m": value} for n, value in enumerate([1, "2", 3.5, None])],
}


@pytest.mark.parametrize("text", ["s", "SPLIT(s, '/')[1]", "SUBSTR(s, 1)"])
def test_text_becomes_a_whole_number_only_where_it_is_one(text: str) -> None:
    found = [value for (value,) in rows(f"SELECT TRY_CAST({text} AS BIGINT) FROM pay ORDER BY n", TABLES)]  # noqa: S608  a test's own text
    assert found == [*WHOLE, None]


@pytest.mark.parametrize(("written", "value"), list(zip(TEXTS, WHOLE, strict=True)))
def test_a_constant_is_read_as_a_column_is(written: str, value: int | None) -> None:
    assert one(f"SELECT TRY_CAST('{written}' AS INTEGER)") == value
    if value is not None:
        assert one(f"SELECT CAST('{written}' AS BIGINT)") == value
        return
    with pytest.raises(SqlTypeError) as error:
        one(f"SELECT CAST('{written}' AS BIGINT)")
    assert f"Could not convert string '{written}' to BIGINT" in error.value.located
    assert "line 1, column 8" in error.value.located


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("TRY_CAST(s AS BOOLEAN)", [None] * 9 + [None, True, True, False, None, None]),
        ("TRY_CAST(s AS DOUBLE)", [12, 12, -12, 1.5, 1000, None, None, 12, None, None, None, None, 0]),
    ],
)
def test_other_types_of_text(expression: str, expected: list[Any]) -> None:
    found = [value for (value,) in rows(f"SELECT {expression} FROM pay ORDER BY n", TABLES)]  # noqa: S608  a test's own text
    assert found[: len(expected)] == expected


def test_a_field_of_several_types_is_text_so_a_fraction_is_no_whole_number() -> None:
    casts = "TRY_CAST(m AS BIGINT), TRY_CAST(m AS DOUBLE), CAST(CAST(m AS DOUBLE) AS BIGINT)"
    assert rows(select(casts, "mixed ORDER BY n"), TABLES) == [
        (1, 1.0, 1),
        (2, 2.0, 2),
        (None, 3.5, 4),
        (None, None, None),
    ]
    with pytest.raises(SqlTypeError, match=r"'3\.5' to BIGINT"):
        rows("SELECT CAST(m AS BIGINT) FROM mixed", TABLES)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("CAST(JSON_EXTRACT(s, '$.c') AS VARCHAR)", ["x", "1", "1.5", "true", None, None, None]),
        ("CAST(JSON_EXTRACT(s, '$.c') AS BIGINT)", [None, 1, 2, 1, None, None, None]),
    ],
)
def test_json_becomes_the_text_in_it(expression: str, expected: list[Any]) -> None:
    values = ['{"c": "x"}', '{"c": 1}', '{"c": 1.5}', '{"c": true}', '{"c": null}', "{}", None]
    tables = {"production.pay": [{"time": n, "n": n, "s": value} for n, value in enumerate(values)]}
    tried = expression.replace("CAST(", "TRY_CAST(", 1)
    assert rows(f"SELECT {tried} FROM pay ORDER BY n", tables) == [(value,) for value in expected]  # noqa: S608  a test's own text


def test_json_parse_as_text() -> None:
    assert one("""SELECT CAST(JSON_PARSE('"x"') AS VARCHAR)""") == "x"
