"""The wish that something which runs should end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from logdrain.errors import LogdrainError


class Stop:
    """Lets any thread end a query that runs in another; may be asked for before it runs.

    What runs looks at `error` between steps, and registers with `telling` what wakes it from a long one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._error: LogdrainError | None = None
        self._told: list[Callable[[], None]] = []

    @property
    def error(self) -> LogdrainError | None:
        """Why it should end; None while it may go on."""
        return self._error

    def request(self, error: LogdrainError) -> None:
        """Ask for the end; it will be this error. Returns at once; the first request wins."""
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            told = list(self._told)
        for tell in told:
            tell()

    def check(self) -> None:
        """Go on, or end here.

        Raises:
            LogdrainError: the error of the request.
        """
        if self._error is not None:
            raise self._error

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` once, in the thread that asks, if the end is asked for here or has been before."""
        with self._lock:
            self._told.append(tell)
            is_late = self._error is not None
        try:
            if is_late:
                tell()
            yield
        finally:
            with self._lock:
                self._told.remove(tell)
