"""How long a query may take: one thread looks at the clock for all.

A thread for each query, which is what `threading.Timer` is, takes longer to start than a small query runs.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from logdrain.errors import QueryTimeout
from logdrain.model.stops import Stop


class Deadlines:
    """Calls back what has not ended in time; its thread starts with the first, and stays."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = count()
        self._waiting: dict[int, tuple[float, Callable[[], None]]] = {}
        self._looks_at_s = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def calling(self, call: Callable[[], None], after_s: float) -> Iterator[None]:
        """Call back, in another thread and soon done, where the block lasts longer."""
        number, due_s = next(self._numbers), time.monotonic() + after_s
        with self._changed:
            self._waiting[number] = due_s, call
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._look, name="deadlines", daemon=True)
                self._thread.start()
            elif due_s < self._looks_at_s:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._waiting.pop(number, None)

    def _look(self) -> None:
        while True:
            for call in self._due():
                call()
                del call  # this frame stays: it must not keep the query that was ended

    def _due(self) -> list[Callable[[], None]]:
        """Wait for the next deadline, or for an earlier one to come; what is due by then."""
        with self._changed:
            self._looks_at_s = min((due_s for due_s, _ in self._waiting.values()), default=math.inf)
            self._changed.wait(min(max(self._looks_at_s - time.monotonic(), 0), threading.TIMEOUT_MAX))
            now_s = time.monotonic()
            due = [number for number, (due_s, _) in self._waiting.items() if due_s <= now_s]
            return [self._waiting.pop(number)[1] for number in due]


_DEADLINES = Deadlines()


@contextmanager
def time_limit(stop: Stop, timeout_s: float | None, *, is_own: bool = False) -> Iterator[None]:
    """Ask for the end with QueryTimeout where the block lasts longer; None: it may last.

    Args:
        stop: What is asked.
        timeout_s: How long it may last.
        is_own: Whether the limit is the schedule's own, not that of all queries.
    """
    if timeout_s is None:
        yield
        return
    limit = "timeout of the schedule" if is_own else "LOGDRAIN_QUERY_TIMEOUT_S"
    hint = f"read less: a shorter time range, or a longer {limit}"
    error = QueryTimeout(f"the query took longer than {timeout_s:g} s", hint=hint)
    with _DEADLINES.calling(lambda: stop.request(error), timeout_s):
        yield
