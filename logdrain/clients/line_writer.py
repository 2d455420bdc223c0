"""Tagged lines to STDOUT, each in one write, so that lines of several threads and processes do not mix."""

import os
import select
import sys
import threading
from weakref import WeakSet


class LineWriter:
    """Writes to whatever STDOUT is at the moment."""

    def __init__(self) -> None:
        self.begin_in_child()
        _WRITERS.add(self)

    def begin_in_child(self) -> None:
        """A lock that a thread of the parent held is held for ever in a child."""
        self._lock = threading.RLock()

    def write(self, line: str) -> None:
        """Write a line, behind what the application has printed so far.

        Raises:
            OSError: STDOUT takes no more.
            ValueError: STDOUT is closed.
        """
        stream = sys.stdout
        if stream is None:
            raise ValueError("STDOUT is closed")
        try:
            number = stream.fileno()
        except (OSError, AttributeError, ValueError):  # a notebook, a test: text only
            stream.write(line)
            return
        with self._lock:
            stream.flush()
            left = line.encode("utf-8", "replace")
            while left:
                try:
                    left = left[os.write(number, left) :]
                except BlockingIOError:
                    select.select([], [number], [])


_WRITERS: WeakSet[LineWriter] = WeakSet()


def _begin_in_child() -> None:
    for writer in tuple(_WRITERS):
        writer.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
