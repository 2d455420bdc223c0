"""Events wait in memory and a thread of the queue's own sends them. Adding never waits, locks or raises.

After a fork the child begins with an empty queue and a connection of its own: what waited is the parent's to
send. Nothing has to be called for that. What adds an event and what sends it share no lock: a deque and a
SimpleQueue, which a signal handler may use as well.
"""

import importlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from weakref import WeakSet

from logdrain.clients.delivery import Verdict, backoff_s, verdict_on
from logdrain.clients.event_items import OFFSET_MIN_MS, EventItem, body_of, read_answer

BATCH_EVENTS = 100
BATCH_WAIT_S = 0.5
QUEUE_EVENTS = 10_000
BODY_MAX_CHARS = 4 * 1024 * 1024

_NEVER = sys.maxsize
_NO_ROUTE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)  # a URL or a server that is put right later


class Exchange(NamedTuple):
    """How a queue reaches the world; a test passes its own.

    Attributes:
        connect: Opens what posts a body to a path and closes.
        warn: Tells the developer something once.
        jitter: Makes a number from 0 to 1.
    """

    connect: Callable[[], Any]
    warn: Callable[[str], None]
    jitter: Callable[[], float]


class EventQueue:
    """A queue of one client.

    Attributes:
        sent: Events that the server has taken.
        dropped: Events that were not sent, because the queue was full or the server never takes them.
        offset_ms: What to add to this machine's clock, 0 while it is near the server's.
    """

    def __init__(self, exchange: Exchange, *, queue_events: int = QUEUE_EVENTS) -> None:
        self.sent = 0
        self.dropped = 0
        self.offset_ms = 0
        self._exchange = exchange
        self._queue_events = queue_events
        self._begin()
        _QUEUES.add(self)

    def _begin(self) -> None:
        """What a process has of its own: in a child, threads and locks are not what they were."""
        self._waiting: deque[EventItem | threading.Event] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._wake_at = _NEVER
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()
        self._sending = threading.RLock()
        self._in_flight = 0
        self._flushes = 0
        self._connection: Any = None

    def begin_in_child(self) -> None:
        """After a fork: nothing waits here, and the parent's connection is the parent's."""
        connection = self._connection
        self._begin()
        self.sent = self.dropped = 0
        if connection is not None:
            connection.close()  # this process's end of it only

    def put(self, item: EventItem) -> None:
        """Add an event; where the queue is full it is dropped and counted."""
        waiting = len(self._waiting)
        if waiting >= self._queue_events:
            self.drop(1, f"the queue is full with {waiting} events: the newest are dropped")
            return
        self._waiting.append(item)
        if waiting + 1 >= self._wake_at:
            self._wake_at = _NEVER
            self._bell.put(None)
        if self._thread is None:
            self._start()

    def drop(self, events: int, reason: str) -> None:
        """Count events that are lost, and say it once."""
        self.dropped += events
        self._exchange.warn(reason)

    def left(self) -> int:
        """How many events wait or are on their way."""
        return self._in_flight + sum(isinstance(entry, EventItem) for entry in tuple(self._waiting))

    def flush(self, timeout_s: float) -> int:
        """Send what waits, without the usual pauses; how many events are left then, or when time is up."""
        end_s = time.monotonic() + timeout_s
        if self._thread is None and self._waiting:
            self._start()
        if self._thread is None or not self._thread.is_alive():
            self._drain(end_s)
            return self.left()
        done = threading.Event()
        self._flushes += 1
        self._waiting.append(done)
        self._bell.put(None)
        done.wait(max(0.0, end_s - time.monotonic()))
        self._flushes -= 1
        return self.left()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            _end_with_the_process(self)
            thread = threading.Thread(target=self._run, name="logdrain-events", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is ending; a flush sends what waits
                return
            self._thread = thread

    def _run(self) -> None:
        waiting = self._waiting  # of this process: a child has another
        while True:
            self._wait_for(1, None)
            if not self._flushes:
                self._wait_for(BATCH_EVENTS, time.monotonic() + BATCH_WAIT_S)
            with self._sending:
                try:
                    self._send_next(waiting, _NEVER)
                except Exception as problem:  # noqa: BLE001  # the thread goes on, whatever a batch did
                    self.drop(self._in_flight, f"events are lost: {type(problem).__name__}: {problem}")
                    self._in_flight = 0

    def _wait_for(self, events: int, end_s: float | None) -> None:
        """Sleep until so many events wait, a flush asks, or time is up."""
        while len(self._waiting) < events and not (self._flushes and self._waiting):
            self._wake_at = events
            if len(self._waiting) >= events:
                break  # one came before it could see the mark
            left_s = None if end_s is None else end_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                break
            try:
                self._bell.get(timeout=left_s)
            except Empty:
                break
        self._wake_at = _NEVER

    def _drain(self, end_s: float) -> None:
        """Send from the calling thread, where the queue's own cannot run."""
        while self._waiting and time.monotonic() < end_s:
            with self._sending:
                if not self._send_next(self._waiting, end_s):
                    return

    def _send_next(self, waiting: deque[EventItem | threading.Event], end_s: float) -> bool:
        """Send the next batch until it is settled; False where time was up. What is not sent waits again."""
        batch: list[EventItem] = []
        chars = 0
        while waiting and len(batch) < BATCH_EVENTS and chars < BODY_MAX_CHARS:
            entry = waiting.popleft()
            if isinstance(entry, EventItem):
                batch.append(entry)
                self._in_flight = len(batch)
                chars += len(entry.end)
            elif batch:
                waiting.appendleft(entry)  # what came before a flush is settled first
                break
            else:
                entry.set()
        is_settled = self._settle(batch, end_s)
        if not is_settled:
            waiting.extendleft(reversed(batch))
        self._in_flight = 0
        return is_settled

    def _settle(self, batch: list[EventItem], end_s: float) -> bool:
        parts = [batch] if batch else []
        tries = 0
        while parts:
            part = parts[-1]
            answer, verdict = self._post(part)
            tries += 1
            if verdict in (Verdict.RETRY, Verdict.REFUSED):
                # A refused key may be good again soon: keys are changed while programs run.
                self._exchange.warn(f"{answer.reason}; events wait and are sent again")
                if time.monotonic() >= end_s:
                    batch[:] = [item for kept in reversed(parts) for item in kept]
                    return False
                pause_s = backoff_s(tries, answer.retry_after_s, self._exchange.jitter())
                self._pause(min(pause_s, max(0.0, end_s - time.monotonic())))
                continue
            tries = 0
            parts.pop()
            if verdict is Verdict.TOO_LARGE and len(part) > 1:
                middle = len(part) // 2
                parts += part[middle:], part[:middle]
            elif again := self._note(part, answer, verdict):
                parts.append(again)
            self._in_flight = sum(map(len, parts))
        return True

    def _post(self, part: list[EventItem]) -> tuple[Any, Verdict]:
        if self._connection is None:
            self._connection = self._exchange.connect()
        before_ms = time.time() * 1000
        answer = self._connection.post("/v1/events", body_of(part))
        server_ms = read_answer(answer.body).server_ms
        if server_ms is not None:
            offset_ms = round(server_ms - (before_ms + time.time() * 1000) / 2)
            self.offset_ms = offset_ms if abs(offset_ms) > OFFSET_MIN_MS else 0
        verdict = verdict_on(answer.status)
        return answer, Verdict.REFUSED if answer.status in _NO_ROUTE else verdict

    def _note(self, part: list[EventItem], answer: Any, verdict: Verdict) -> list[EventItem]:
        """Count what became of a part; events that had a wrong clock's time only, stamped once more."""
        rejected = read_answer(answer.body).rejected
        if verdict is not Verdict.DELIVERED and not rejected:
            self.drop(len(part), f"{answer.reason}: {len(part)} events are lost")
            return []
        again = []
        for item in part:
            code = rejected.get(item.insert_id)
            if code is None:
                self.sent += 1
            elif code == "bad_time" and item.stamped and self.offset_ms:
                again.append(item.adjusted(self.offset_ms))
            else:
                self.drop(1, f"the server rejects events: {code}")
        return again

    def _pause(self, pause_s: float) -> None:
        """Wait before a retry; a flush ends it, once."""
        end_s = time.monotonic() + pause_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                self._bell.get(timeout=left_s)
            except Empty:
                return
            if self._flushes:
                return


_QUEUES: WeakSet[EventQueue] = WeakSet()


def _begin_in_child() -> None:
    for queue in tuple(_QUEUES):
        queue.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)

EXIT_FLUSH_S = 10.0


def _end_with_the_process(queue: EventQueue) -> None:
    """Flush where a process leaves without `atexit`: children of multiprocessing and of celery."""
    if util := sys.modules.get("multiprocessing.util"):
        util.Finalize(None, queue.flush, args=(EXIT_FLUSH_S,), exitpriority=100)
    if "celery.signals" in sys.modules:
        ended = importlib.import_module("celery.signals").worker_process_shutdown
        ended.connect(lambda **_: queue.flush(EXIT_FLUSH_S), weak=False)
