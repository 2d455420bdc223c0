"""Postgres goes away, or was never there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg
import pytest

from logdrain.errors import LedgerUnavailable, MigrationError
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect

Ask = Callable[..., object]
AskUntil = Callable[[str, object], None]

CUT_ALL = (
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WHO_WAITS = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


def test_a_closed_port_is_said_without_the_password() -> None:
    ledger = connect("postgresql://u:secret@127.0.0.1:1/db", CronCalendar())
    with pytest.raises(LedgerUnavailable, match="refused") as caught:
        ledger.schedules.all()
    assert "secret" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("url", ["postgresql://u:sec@ret@h/db", "postgresql://u:sec/ret@h/db", "sec", ""])
def test_an_unreadable_url_is_said_without_any_of_it(url: str) -> None:
    with pytest.raises(LedgerUnavailable) as caught:
        connect(url, CronCalendar())
    assert "sec" not in str(caught.value)
    assert "ret" not in str(caught.value)


def test_a_database_without_tables_asks_for_the_migration(postgres_url: str) -> None:
    ledger = connect(postgres_url, CronCalendar())
    with pytest.raises(MigrationError, match="logdrain migrate"):
        ledger.schedules.all()
    ledger.close()


def test_an_idle_connection_that_was_cut_is_opened_again(ledger: Ledger, ask: Ask) -> None:
    before = ledger.clock.now()
    assert ask(CUT_ALL) == 1
    assert ledger.schedules.all() == []
    assert ask(CUT_ALL) == 1
    assert ledger.clock.now() > before


def test_a_pooler_that_forgets_what_was_prepared_is_named(ledger: Ledger) -> None:
    connection = ledger.connections._own()  # noqa: SLF001  # what a pooler gives to others between transactions
    connection.prepare_threshold = 0
    ledger.clock.now()
    connection.pgconn.exec_(b"DEALLOCATE ALL")
    with pytest.raises(LedgerUnavailable, match="lost what was prepared") as caught:
        ledger.clock.now()
    assert "max_prepared_statements" in (caught.value.hint or "")


def test_a_connection_cut_in_the_middle_is_an_error_once(
    ledger: Ledger, ledger_url: str, ask: Ask, ask_until: AskUntil
) -> None:
    with psycopg.connect(ledger_url) as holder:
        holder.execute("LOCK TABLE logdrain.identity")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(ledger.slices.identity)
            ask_until(f"SELECT count(*) {WHO_WAITS}", 1)
            ask(f"SELECT pg_terminate_backend(pid, 5000) {WHO_WAITS}")
            with pytest.raises(LedgerUnavailable):
                answer.result()
        holder.rollback()
    assert ledger.slices.identity()


def test_a_thread_has_one_connection_and_leaves_none_behind(
    ledger: Ledger, ask: Ask, ask_until: AskUntil
) -> None:
    own = ask(CONNECTIONS)
    for _ in range(5):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(ledger.slices.identity).result()
            pool.submit(ledger.slices.identity).result()
    ledger.slices.identity()
    assert isinstance(own, int)
    # A server process takes a moment to end after its connection is closed.
    ask_until(CONNECTIONS, own + 1)
    ledger.close()
    ask_until(CONNECTIONS, own)


def test_a_closed_ledger_opens_again_when_asked(ledger: Ledger) -> None:
    identity = ledger.slices.identity()
    ledger.close()
    assert ledger.slices.identity() == identity


def test_both_spellings_of_the_scheme_are_read(ledger_url: str) -> None:
    for scheme in ("postgres", "postgresql"):
        ledger = connect(urlsplit(ledger_url)._replace(scheme=scheme).geturl(), CronCalendar())
        assert ledger.schedules.all() == []
        ledger.close()
