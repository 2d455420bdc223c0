"""Late events bring their slices back: the drains' notes become slices that run again."""

from datetime import datetime, timedelta

from logdrain.ports.clock import Clock
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import Ledger

NOTES_KEEP = timedelta(days=31)
"""Notes older than this bring nothing back any more, and are forgotten."""

# Notes of several drains may become readable in another order than they are dated.
_OVERLAP = timedelta(minutes=1)


class LateRuns:
    """Asks for slices that have not seen late events. Any number of workers may do so: the ledger adds it up.

    Args:
        notes: What the drains have noted.
        ledger: Which slices have read what.
        clock: What the windows of schedules end at.
    """

    def __init__(self, notes: LateNotes, ledger: Ledger, clock: Clock) -> None:
        self._notes = notes
        self._ledger = ledger
        self._clock = clock
        self._read_until: datetime | None = None

    def ask(self) -> int:
        """Read the notes that are new, and ask for their slices; returns how many.

        Raises:
            StoreUnavailable: MongoDB did not answer; the next call reads what this one has missed.
            LedgerUnavailable: the same of Postgres.
        """
        store_time = self._notes.store_time()
        since = store_time - NOTES_KEEP if self._read_until is None else self._read_until - _OVERLAP
        count = self._ledger.ask_late(self._notes.notes(since), store_time, self._clock.now())
        self._read_until = store_time
        return count
