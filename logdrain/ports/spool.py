"""Where deliveries wait on disk while the store is away."""

from typing import Protocol

from logdrain.model.spool import Spooled, SpooledEntry


class Spool(Protocol):
    """Durable waiting room for deliveries, in order. One process at a time has it."""

    async def append(self, spooled: Spooled) -> None:
        """Keep a delivery; returns once it is fsynced. Concurrent callers share one fsync.

        Raises:
            SpoolUnavailable: the disk is full, read-only or broken, the folder is another process's, or the
                spool has reached its bound; nothing was kept, or, where an fsync failed, nothing is promised.
        """
        ...

    async def read(self, after: SpooledEntry | None, size_max_bytes: int) -> list[SpooledEntry]:
        """The next entries in order, after one that was read before or from the start; [] at the end.

        At least one entry where there is any, then as many as fit in so many octets of body.

        Raises:
            SpoolUnavailable: the disk cannot be read.
        """
        ...

    async def discard(self, through: SpooledEntry) -> None:
        """Everything up to this entry is in the store: remove the segments that are done with.

        A segment in which entries are left stays whole: replaying an entry twice is safe.

        Raises:
            SpoolUnavailable: the disk cannot be written.
        """
        ...

    async def check(self) -> None:
        """Look at the disk that the spool is on, and at the spool's bound.

        Raises:
            DiskNearlyFull: there is little room left.
            SpoolUnavailable: the disk does not answer.
        """
        ...

    @property
    def waiting_count(self) -> int:
        """Entries that are not discarded."""
        ...

    @property
    def size_bytes(self) -> int:
        """Octets on disk."""
        ...

    async def close(self) -> None:
        """Finish what is being written and let the folder go."""
        ...
