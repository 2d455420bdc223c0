"""What is kept of scans between slices: for whom it pays, how long, how much."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from logdrain.answer.kept.timed_batches import Span, TimedBatches
from logdrain.model.plans import Scan, TimeRange
from logdrain.ports.streams import ScanStream

# Slices that are made up follow each other within seconds; those that cron starts are a minute apart or more.
_UNUSED_MAX_S = 30.0
# What nobody notes, such as an event that was removed by hand, is seen after so long.
_AGE_MAX_S = 600.0
_SCANS_MAX = 64
# So much of a window has to be the neighbour's, too.
_SHARE_MIN = 0.5
# MongoDB groups two events while one is fetched, and so many while the engine starts (bench/backfill.py).
_GROUPED_PER_FETCHED = 2
_GROUPED_PER_START = 20_000

_Key = tuple[Scan, str]
_NOTHING = Span(0, 0)


@dataclass(slots=True, eq=False)
class Kept:
    """What is known of a scan, whatever its time range.

    Attributes:
        asked: What was asked for last.
        used_s: When that was.
        began_s: When the oldest of the batches was read.
        covered: All of its events are in `batches`, as of `known_at` of the store's clock.
        size_bytes: What the batches weigh, and those that a pass has in hand.
        events: How many the last answer has read.
        is_busy: Whether a pass is using it.
        is_cut: Whether there was not room for all of it.
    """

    asked: Span
    used_s: float
    began_s: float = 0.0
    covered: Span = _NOTHING
    known_at: datetime | None = None
    batches: TimedBatches = field(default_factory=TimedBatches)
    size_bytes: int = 0
    events: Callable[[], int] = lambda: 0
    is_busy: bool = False
    is_cut: bool = False

    def clear(self) -> None:
        """Keep nothing."""
        self.covered, self.known_at, self.batches, self.size_bytes = _NOTHING, None, TimedBatches(), 0


class Shelf:
    """All that is kept; safe to use from several threads.

    Args:
        size_max_bytes: What all of it may weigh.
        elapsed_s: Seconds that never go back.
    """

    def __init__(self, size_max_bytes: int, elapsed_s: Callable[[], float]) -> None:
        self._size_max_bytes = size_max_bytes
        self._elapsed_s = elapsed_s
        self._lock = threading.Lock()
        self._kept: dict[_Key, Kept] = {}

    @property
    def size_bytes(self) -> int:
        """What all of it weighs."""
        with self._lock:
            return self._size()

    def take(self, scan: Scan, stream: ScanStream) -> Kept | None:
        """What is kept of a scan, for one pass over it alone; None where none should be.

        The first window that is asked for is only remembered; the next is kept if it moved, but not far.

        Args:
            scan: What is going to be read.
            stream: Counts its events.
        """
        with self._lock:
            kept, asked = self._known(scan)
            if kept.is_busy:
                return None
            has_moved = _share_after_move(kept.asked, asked) >= _SHARE_MIN
            is_again = kept.known_at is not None and kept.asked == asked
            kept.asked, kept.events = asked, lambda: stream.rows_read
            now_s = self._elapsed_s()
            if kept.known_at is None or now_s - kept.began_s > _AGE_MAX_S:
                kept.clear()
                kept.began_s = now_s
            kept.is_busy = has_moved or is_again
            if not kept.is_busy:
                kept.clear()
            return kept if kept.is_busy else None

    def give_back(self, kept: Kept) -> None:
        """The pass is over."""
        with self._lock:
            kept.is_busy = False
            kept.used_s = self._elapsed_s()

    def has_room(self, kept: Kept, size_bytes: int) -> bool:
        """Note what a scan's batches weigh now; returns whether all is within the bound."""
        with self._lock:
            kept.size_bytes = size_bytes
            return self._size() <= self._size_max_bytes

    def pays(self, scan: Scan) -> bool:
        """Whether to fetch and keep events that the store could group; if not, the window is remembered."""
        with self._lock:
            kept, asked = self._known(scan)
            if kept.is_busy:
                return False
            new_share = 1 - _share_after_move(kept.asked, asked)
            if (
                not kept.is_cut
                and kept.events() * (1 - new_share * _GROUPED_PER_FETCHED) > _GROUPED_PER_START
            ):
                return True
            kept.clear()
            kept.asked = asked
            return False

    def note(self, scan: Scan, events: int) -> None:
        """Remember how many events an answer had that did not read the scan."""
        with self._lock:
            kept = self._kept.get(_key(scan))
            if kept is not None and not kept.is_busy:
                kept.events = lambda: events

    def forget(self) -> None:
        """Drop what has not been used for a while."""
        with self._lock:
            self._forget()

    def _known(self, scan: Scan) -> tuple[Kept, Span]:
        self._forget()
        key, asked, now_s = _key(scan), Span.of(scan.time_range), self._elapsed_s()
        kept = self._kept.pop(key, None) or Kept(asked, now_s)
        kept.used_s = now_s
        self._kept[key] = kept  # the last one: the most recently used
        return kept, asked

    def _forget(self) -> None:
        unused_since_s = self._elapsed_s() - _UNUSED_MAX_S
        idle = [key for key, kept in self._kept.items() if not kept.is_busy]
        for place, key in enumerate(idle):
            if self._kept[key].used_s < unused_since_s or len(idle) - place >= _SCANS_MAX:
                del self._kept[key]

    def _size(self) -> int:
        return sum(kept.size_bytes for kept in self._kept.values())


def _share_after_move(before: Span, asked: Span) -> float:
    """How much of a window was in the one before; nothing where it is the same: that is no backfill."""
    return 0.0 if before == asked else asked.share_in(before)


def _key(scan: Scan) -> _Key:
    """A scan without its range. With its filter as text, too: 1 is True in a tuple, but not in a column."""
    return replace(scan, time_range=TimeRange(None, None)), repr(scan.predicates)
