"""SQL in every place where a result or a schedule takes a text: it is a name or a value, or it is refused."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from logdrain.errors import LogdrainError, ResultError, ResultRefused, ResultUrlInvalid
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import connect
from logdrain.model.jobs import Mode, Schedule
from logdrain.results.url.target import parse_result, resolve_table
from tests.integration.results.result_table import CLAIM, ResultTable, next_claim

NOW = datetime(2024, 5, 1, 10, 30, tzinfo=UTC)
PAY = Schedule("pay_hourly", "@hourly", "UTC", 600, "production", "SELECT 1", result="heroku_db:payments")
HOSTILE = (
    "'; DROP TABLE victim; --",
    'x"; DROP TABLE victim; --',
    "x\" (n int); COPY victim TO PROGRAM 'id'; --",
    "$$; DROP TABLE victim; $$",
    "victim; --",
    "%s %(x)s {} {0}",
    "\\'; DROP TABLE victim; --",
    "U&\"\\0041\" UESCAPE '!'",
    "\x1b[31m\u202ex\u200b",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
)


def no_variable(_: str) -> None:
    return None


@pytest.fixture
def victim(table: ResultTable) -> Iterator[ResultTable]:
    """A result table beside one that nobody may touch."""
    table.execute("CREATE TABLE victim AS SELECT 1 AS n")
    yield table
    assert table.execute("SELECT n FROM victim") == [(1,)]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_table_s_name_in_a_result_url_is_a_name(victim: ResultTable, text: str) -> None:
    parsed = parse_result(f"{victim.url}/{quote(text, safe='')}")
    victim.name = resolve_table(parsed, parsed.url, no_variable, hint="").table
    victim.add(0, sum=[1])
    assert (text,) in victim.execute("SELECT relname::text FROM pg_class WHERE relkind = 'r'")
    assert victim.rows() == [(1,)]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_schema_s_name_is_a_name(victim: ResultTable, text: str) -> None:
    parsed = parse_result(f"x:payments?schema={quote(text, safe='')}")
    victim.schema = parsed.schema
    with pytest.raises(ResultRefused, match="has not schema") as error:
        victim.add(0, sum=[1])
    victim.execute(error.value.hint)  # what it says to run makes this schema and nothing else
    victim.add(0, sum=[1])
    found = victim.execute(
        "SELECT nspname::text FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid"
        " WHERE relname = 'payment_history'"
    )
    assert found == [(text,)]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("mode", Mode)
def test_columns_and_values_are_names_and_values_in_every_mode(
    victim: ResultTable, text: str, mode: Mode
) -> None:
    victim.mode = mode
    victim.unique = (text,) if mode.facts.needs_unique else ()
    for claim in (CLAIM, next_claim(CLAIM)):
        victim.write({text: [text], "n": [1]}, claim, slice_column=None)
    assert list(victim.types()) == [text, "n"]
    assert (text, 1) in victim.rows()


@pytest.mark.parametrize("text", ["a%00b", "%ED%A0%80", "%FF"])
@pytest.mark.parametrize("form", ["x:{}", "x:t?schema={}", "x:t?mode=update&unique={}", "postgres://h/db/{}"])
def test_text_that_postgres_cannot_have_is_refused(form: str, text: str) -> None:
    with pytest.raises(ResultUrlInvalid, match=r"U\+0000|UTF-8"):
        parse_result(form.format(text))


def test_names_longer_than_postgres_has_are_refused_or_told_apart(victim: ResultTable) -> None:
    for what in ("x:{}", "x:t?schema={}", f"{victim.url}/{{}}"):
        with pytest.raises(ResultUrlInvalid, match="Postgres allows 63"):
            parse_result(what.format("t" * 64))
        with pytest.raises(ResultUrlInvalid, match="Postgres allows 63"):
            parse_result(what.format(quote("é" * 32)))
    victim.write({"c" * 63 + "a": [1], "c" * 63 + "b": [2], "c" * 63: [3]}, slice_column=None)
    assert victim.rows() == [(1, 2, 3)]
    assert len({name.encode()[:63] for name in victim.types()}) == 3


@pytest.mark.parametrize(
    "address",
    [
        "postgres://u@%2Fvar%2Frun%2Fpostgresql/db/t",
        "postgres://u@%2ftmp/db/t",
        "postgres://u@%40abstract/db/t",
        "postgres://u@h%2C%2Ftmp/db/t",
        "postgres:///db/t",
        "postgres:///db/t?host=/tmp",
        "postgres://h/db/t?host=/tmp",
        "postgres://h/db/t?hostaddr=127.0.0.1",
        "postgres://h/db/t?service=x",
        "postgres://h/db/t?servicefile=/etc/passwd",
        "postgres://h/db/t?passfile=/etc/passwd",
        "postgres://h/db/t?sslkey=/etc/passwd",
        "postgres://h/db/t?sslcert=/etc/passwd",
        "postgres://h/db/t?sslkeylogfile=/tmp/x",
        "postgres://h/db/t?krbsrvname=x",
        "postgres://h/db/t?dbname=host%3D/tmp",
        "postgres://h/db/t?user=postgres",
        "file:///srv/results/../../etc/passwd",
        "file:///srv/results/%2e%2e/passwd",
        "file://host/etc/passwd",
        "http://example.org/t",
    ],
)
def test_a_result_url_does_not_reach_into_the_host(address: str) -> None:
    with pytest.raises(ResultUrlInvalid):
        parse_result(address)


@pytest.mark.parametrize(
    "text",
    ["host=/tmp", "postgres://evil/db", "$HOME", "${DATABASE_URL}", "%(HOME)s", "~root", "x host=/tmp"],
)
def test_parts_of_a_result_url_stay_in_their_place(text: str) -> None:
    coded = quote(text, safe="")
    parsed = parse_result(f"postgres://{coded}:{coded}@db.example/{coded}/t?application_name={coded}")
    found = conninfo_to_dict(resolve_table(parsed, parsed.url, no_variable, hint="").dsn)
    assert found == {
        "host": "db.example",
        "user": text,
        "password": text,
        "dbname": text,
        "application_name": text,
    }


def test_a_certificate_file_that_is_none_is_not_shown(table: ResultTable) -> None:
    table.url = (
        f"{urlsplit(table.url)._replace(query='').geturl()}?sslmode=verify-full&sslrootcert=/etc/passwd"
    )
    with pytest.raises(ResultError) as error:
        table.add(0, sum=[1])
    assert "root:" not in str(error.value)


@pytest.mark.parametrize("field", ["name", "cron", "timezone", "database", "sql", "result", "source"])
def test_a_schedule_s_texts_are_kept_as_they_are_or_refused(ledger_url: str, field: str) -> None:
    ledger = connect(ledger_url, CronCalendar())
    try:
        for text in (*HOSTILE, "a\0b", "\udcff", "n" * 100_000):
            changed: dict[str, Any] = {field: text}
            with suppress(LogdrainError):  # any other would be a hole
                ledger.schedules.create(replace(PAY, **changed), NOW)
            for schedule, _, _ in ledger.schedules.all():
                assert getattr(schedule, field) == text
                ledger.schedules.delete(schedule.name)
    finally:
        ledger.close()
    with psycopg.connect(ledger_url) as connection:
        assert connection.execute("SELECT count(*) FROM logdrain.schedules").fetchone() is not None
