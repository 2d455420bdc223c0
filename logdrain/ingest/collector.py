"""The garbage collector rests while a large delivery is held.

A delivery may be millions of objects. They have no cycles, but the collector would look at each of them,
again and again: seconds in which nothing else runs. Freeing them takes a while, too.
"""

import gc
import time
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import Any

# Large deliveries without end must not keep it from its work.
_REST_MAX_S = 300.0
_PART = 5_000


class _Resting:
    """How many deliveries it rests for."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._since_s = 0.0

    def begin(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._since_s = time.monotonic()
                gc.disable()
            elif time.monotonic() - self._since_s > _REST_MAX_S:
                gc.enable()

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                gc.enable()


_resting = _Resting()


class CollectorRest:
    """As long as this lives, the collector rests, five minutes in a row at most; then the lists are emptied.

    Args:
        lists: Nobody else has them any more when this is gone: who has them has this.
    """

    def __init__(self, lists: Sequence[list[Any]] = ()) -> None:
        self._lists = lists
        _resting.begin()

    def __del__(self) -> None:
        """Empty the lists, in a thread of its own."""
        if not any(self._lists):
            _resting.end()
            return
        with suppress(RuntimeError):  # the interpreter ends
            Thread(target=_empty_and_end, args=(self._lists,), name="empties", daemon=True).start()


def empty(items: list[Any]) -> None:
    """Free what is in a list, part by part: other threads run in between."""
    while items:
        del items[-_PART:]


def _empty_and_end(lists: Sequence[list[Any]]) -> None:
    for items in lists:
        empty(items)
    _resting.end()
