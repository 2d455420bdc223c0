"""Where deliveries are kept."""

from collections.abc import Sequence
from typing import Protocol

from logdrain.model.events import Batch, Origin, Split, Stored


class EventStore(Protocol):
    """Durable, exactly-once storage of what deliveries hold."""

    async def write(self, batch: Batch) -> Stored:
        """Store all of a batch; returns once it is durable (majority, journaled).

        Raises:
            StoreUnavailable: not confirmed in time; some of it may be stored, writing it again is safe.
            StoreBusy: too much is waiting already.
        """
        ...

    async def waiting_splits(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Splits of these origins that wait for more, or that one of `by` has continued before.

        Raises:
            StoreUnavailable: MongoDB did not answer in time.
        """
        ...

    async def expire_splits(self, older_than_ms: int) -> int:
        """Move splits that arrived before this unix time (ms) to quarantine; returns how many.

        Raises:
            StoreUnavailable: MongoDB did not answer in time.
        """
        ...

    async def check(self) -> None:
        """Ask the store for a sign of life.

        Raises:
            StoreUnavailable: there was none.
        """
        ...
