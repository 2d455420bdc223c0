"""A role that may read result tables, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
import pytest

from logdrain.cli.bi import change_readers
from logdrain.errors import ResultRefused, UnknownResult, UnknownRole
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect
from logdrain.model.jobs import Mode, ResultTarget, Schedule
from logdrain.results.postgres.grants import grant, revoke
from tests.integration.results.result_table import ANOTHER_LEDGER, SLICE_S, ResultTable, as_poor_role

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = {"time": [SLICE_S], "sum": [1]}
FRESHNESS = '"logdrain"."freshness"'
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def bi(ledger_table: ResultTable) -> Iterator[tuple[str, ResultTable]]:
    """A role that may connect and no more: its name, and the table as it reaches it."""
    with as_poor_role(ledger_table) as found:
        yield found


@pytest.fixture
def ledger(ledger_table: ResultTable) -> Iterator[Ledger]:
    """Has result `here`, its own database, and a schedule that writes `here:payment_history`."""
    ledger = connect(ledger_table.url, CronCalendar())
    ledger.results.create("here", ledger_table.url)
    schedule = Schedule(
        "pay_hourly", "@hourly", "UTC", 0, "production", "SELECT 1", result="here:payment_history"
    )
    ledger.schedules.create(schedule, NOW)
    yield ledger
    ledger.close()


def target(table: ResultTable) -> ResultTarget:
    return ResultTarget(table.url, table.name, schema=table.schema)


def write(table: ResultTable) -> None:
    table.write(ROWS, commit_note=lambda _: None)


def test_it_reads_the_table_and_neither_the_ledger_nor_bookkeeping(
    ledger: Ledger, ledger_table: ResultTable, bi: tuple[str, ResultTable]
) -> None:
    role, poor = bi
    write(replace(ledger_table, mode=Mode.REPLACE))  # makes logdrain_contents, too
    with pytest.raises(DENIED):
        poor.rows()
    assert change_readers(grant, role, ledger, {}) == ['"public"."payment_history"', FRESHNESS]
    assert len(poor.rows()) == 1
    for hidden in (
        "logdrain.results",
        "logdrain.schedules",
        "logdrain.keys",
        "logdrain.runs",
        "logdrain_contents",
        "logdrain_readers",
    ):
        with pytest.raises(DENIED):
            poor.execute(f"TABLE {hidden}")
    for statement in (
        "DELETE FROM payment_history",
        "UPDATE payment_history SET sum = 2",
        "INSERT INTO payment_history VALUES (now(), 1)",
        "TRUNCATE payment_history",
        "DROP TABLE payment_history",
        "CREATE TABLE mine ()",
        "INSERT INTO logdrain_readers VALUES ('x', 'y')",
    ):
        with pytest.raises(DENIED):
            poor.execute(statement)


def test_a_table_that_comes_later_or_comes_again_is_readable(
    ledger: Ledger, ledger_table: ResultTable, bi: tuple[str, ResultTable]
) -> None:
    role, poor = bi
    assert change_readers(grant, role, ledger, {}) == [FRESHNESS]
    write(ledger_table)
    assert len(poor.rows()) == 1
    ledger_table.execute("DROP TABLE payment_history")
    write(ledger_table)
    assert len(poor.rows()) == 1
    ledger_table.execute("CREATE TABLE public.of_an_application ()")
    with pytest.raises(DENIED):
        poor.execute("SELECT FROM public.of_an_application")


def test_what_is_revoked_stays_revoked(
    ledger: Ledger, ledger_table: ResultTable, bi: tuple[str, ResultTable]
) -> None:
    role, poor = bi
    write(ledger_table)
    change_readers(grant, role, ledger, {})
    assert len(poor.execute("TABLE logdrain.freshness")) == 1
    assert change_readers(revoke, role, ledger, {}) == ['"public"."payment_history"', FRESHNESS]
    with pytest.raises(DENIED):
        poor.execute("TABLE logdrain.freshness")
    with pytest.raises(DENIED):
        poor.rows()
    write(replace(ledger_table, name="another"))
    with pytest.raises(DENIED):
        poor.execute("SELECT FROM another")


def test_a_result_without_a_schedule_is_opened_for_what_comes(
    ledger: Ledger, ledger_table: ResultTable, bi: tuple[str, ResultTable]
) -> None:
    role, poor = bi
    ledger.schedules.delete("pay_hourly")
    with pytest.raises(ResultRefused, match="no schedule"):
        change_readers(grant, role, ledger, {})
    for _ in range(2):
        assert change_readers(grant, role, ledger, {}, result="here") == [FRESHNESS]
    write(ledger_table)
    assert len(poor.rows()) == 1
    with pytest.raises(DENIED):
        poor.execute("SELECT FROM logdrain_readers")
    with pytest.raises(UnknownResult, match="here"):
        change_readers(grant, role, ledger, {}, result="her")


def test_another_schema_is_opened_and_a_strange_name_quoted(table: ResultTable) -> None:
    role = 'b"i; DROP TABLE x'
    quoted = '"b""i; DROP TABLE x"'
    there = replace(table, schema='re"sults', name='pay"ments')
    table.execute('CREATE SCHEMA "re""sults"')
    table.execute(f"CREATE ROLE {quoted}")
    try:
        there.write(ROWS)
        assert grant([target(there)], role, ANOTHER_LEDGER) == ['"re""sults"."pay""ments"']
        table.execute(f'SET ROLE {quoted}; TABLE "re""sults"."pay""ments"')
        with pytest.raises(DENIED):
            table.execute(f'SET ROLE {quoted}; TABLE "re""sults".logdrain_marks')
        revoke([target(there)], role, ANOTHER_LEDGER)
        with pytest.raises(DENIED):
            table.execute(f'SET ROLE {quoted}; TABLE "re""sults"."pay""ments"')
    finally:
        table.execute(f"DROP OWNED BY {quoted}")
        table.execute(f"DROP ROLE {quoted}")


def test_a_role_that_is_gone_does_not_stop_a_run(table: ResultTable) -> None:
    with as_poor_role(table) as (role, _):
        grant([target(table)], role, ANOTHER_LEDGER)
    assert table.write(ROWS) == 1


def test_tables_of_another_are_granted_by_their_owner(table: ResultTable) -> None:
    table.write(ROWS)
    with as_poor_role(table) as (writer, poor):
        table.execute(f"GRANT ALL ON logdrain_marks, payment_history TO {writer}")
        table.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {writer}")
        table.execute(f"CREATE ROLE {writer}_bi")
        try:
            with pytest.raises(ResultRefused, match="may not grant"):
                grant([target(poor)], f"{writer}_bi", ANOTHER_LEDGER)
            # What is refused leaves nothing behind; a run as this role goes on all the same.
            assert table.execute("SELECT to_regclass('logdrain_readers')") == [(None,)]
            grant([target(replace(poor, name="later"))], f"{writer}_bi", ANOTHER_LEDGER)
            assert poor.add(1, sum=[2]) == 1
        finally:
            table.execute(f"DROP OWNED BY {writer}_bi")
            table.execute(f"DROP ROLE {writer}_bi")


def test_a_role_that_is_not_there_or_writes_is_refused(table: ResultTable) -> None:
    with pytest.raises(UnknownRole) as caught:
        grant([target(table)], "metabase_of_nobody", ANOTHER_LEDGER)
    assert "CREATE ROLE" in caught.value.hint
    assert "pg:credentials:create" in caught.value.hint
    writer = urlsplit(table.url).username or ""
    with pytest.raises(ResultRefused, match="writing included"):
        grant([target(table)], writer, ANOTHER_LEDGER)
