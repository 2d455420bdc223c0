from collections.abc import Callable, Iterator
from time import monotonic

import psycopg
import pytest
from psycopg.rows import scalar_row

from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect

Ask = Callable[..., object]
AskUntil = Callable[[str, object], None]


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = connect(ledger_url, CronCalendar())
    yield ledger
    ledger.close()


@pytest.fixture
def ask(ledger_url: str) -> Iterator[Ask]:
    """Run a statement beside the ledger, committed at once; gives the first value of its first row."""
    with psycopg.connect(ledger_url, autocommit=True, row_factory=scalar_row) as connection:

        def ask(statement: str, *values: object) -> object:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchone() if cursor.description else None

        yield ask


@pytest.fixture
def ask_until(ask: Ask) -> AskUntil:
    """Ask the same until the answer is the expected one; fails after 30 seconds."""

    def ask_until(statement: str, expected: object) -> None:
        deadline = monotonic() + 30
        while (answer := ask(statement)) != expected:
            assert monotonic() < deadline, f"{statement} is still {answer}"

    return ask_until
