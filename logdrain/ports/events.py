"""Where deliveries are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from logdrain.model.events import Batch, NearMiss, Origin, Split, Stored
from logdrain.model.late import LateNote


class EventStore(Protocol):
    """Durable, exactly-once storage of what deliveries hold."""

    async def write(self, batch: Batch, within_s: float | None = None) -> Stored:
        """Store all of a batch; returns once it is durable (majority, journaled).

        Args:
            batch: What to store.
            within_s: How long the caller waits; None is as long as a sender does.

        Raises:
            StoreUnavailable: not confirmed in time; some of it may be stored, writing it again is safe.
            SplitChanged: a join was void, no event is stored; find the waiting lines and read again.
            StoreBusy: too much is waiting already.
        """
        ...

    def note_near_misses(self, near_misses: Sequence[NearMiss]) -> None:
        """Keep the latest for people to look at; they are written soon, and may be lost."""
        ...

    async def waiting_splits(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Splits of these origins that wait for more, or that one of `by` has claimed or continued.

        Raises:
            StoreUnavailable: MongoDB did not answer in time.
        """
        ...

    async def expire_splits(self, wait_s: float) -> int:
        """Move splits that have waited so long, by the store's clock, to quarantine; returns how many.

        Raises:
            StoreUnavailable: MongoDB did not answer in time.
        """
        ...

    async def check(self) -> None:
        """Ask the store for a sign of life, and how much room it has.

        Raises:
            StoreUnavailable: there was none.
            DiskNearlyFull: it answers, but its disk has little room left.
        """
        ...


class LateNotes(Protocol):
    """What the drains have noted about events that came late."""

    def notes(self, since: datetime) -> list[LateNote]:
        """Notes written at or after this time of MongoDB's clock, oldest first.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...

    def store_time(self) -> datetime:
        """MongoDB's clock, UTC: the one that notes are dated by.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...
