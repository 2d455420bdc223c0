import threading

import pytest

from logdrain.errors import LedgerUnavailable, MigrationError
from logdrain.web.server.ledger_thread import LedgerThread


def failing() -> None:
    raise MigrationError("no tables")


async def test_answers_and_errors_come_through() -> None:
    ledger = LedgerThread(within_s=10)
    assert await ledger.ask(lambda: 5) == 5
    with pytest.raises(MigrationError):
        await ledger.ask(failing)
    with pytest.raises(ZeroDivisionError):
        await ledger.ask(lambda: 1 // 0)
    assert await ledger.ask(lambda: 6) == 6


async def test_a_ledger_that_hangs_is_not_waited_for() -> None:
    ledger = LedgerThread(within_s=0.01)
    release = threading.Event()
    for _ in range(30):  # more than may wait
        with pytest.raises(LedgerUnavailable):
            await ledger.ask(lambda: release.wait(30))
    release.set()
