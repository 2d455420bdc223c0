"""Lines in, deliveries out: a bounded queue, one sender thread, and a report that counts every line."""

import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from logdrain import log
from logdrain.clients.delivery import Answer, Courier, Outcome, Verdict, verdict_on
from logdrain.clients.framing import BATCH_LINES, BATCH_WAIT_S, Batcher, check_field, frame
from logdrain.clients.http_drain import TIMEOUT_S, DrainConnection, DrainUrl

GIVE_UP_AFTER_S = 60.0
LINE_SIZE_MAX_BYTES = 16 * 1024 * 1024  # no event can be larger: a document of MongoDB has no room for it
QUEUE_LINES = 10_000
QUEUE_SIZE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all lines; `sent + failed` is every line that was put.

    Attributes:
        sent: Lines that the drain has confirmed.
        failed: Lines that it has not. Some may have arrived where an answer did not come back.
        dropped: Those of the failed that found the queue full.
        retries: Bodies sent beyond the first time.
        last_error: Why lines failed, the latest reason; "" where none did.
        refused: The drain turned the key away, and the shipper stopped.
    """

    sent: int
    failed: int
    dropped: int
    retries: int
    last_error: str
    refused: bool


def _now() -> datetime:
    return datetime.now(UTC)


class Shipper:
    """Sends lines to a drain in the background. Close it, or the last lines are lost.

    Args:
        url: Drain URL with its key, `https://shop:KEY@host/logs`.
        app: APP field of every frame.
        proc: PROCID field of every frame.
        batch_lines: A batch has at most so many lines (and 100 KiB of frames; a bigger line goes alone).
        batch_wait_s: A line waits at most so long for others.
        queue_lines: So many lines may wait (and 32 MiB of frames); beyond that `put` blocks.
        drop_when_full: Drop and count lines that find the queue full, instead of blocking.
        give_up_after_s: A batch is tried again for so long.
        timeout_s: For each wait within an exchange.
        on_end: Called by the sender thread when it ends: all is settled, or the key was refused.
        now: Where the lines' times come from.
        clock: Monotonic seconds, for the waits of batches and retries.
        pause: Waits so many seconds before a retry; returns True to give up at once. None waits for real.

    Raises:
        UsageError: the URL or a field cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        app: str = "app",
        proc: str = "web.1",
        batch_lines: int = BATCH_LINES,
        batch_wait_s: float = BATCH_WAIT_S,
        queue_lines: int = QUEUE_LINES,
        drop_when_full: bool = False,
        give_up_after_s: float = GIVE_UP_AFTER_S,
        timeout_s: float = TIMEOUT_S,
        on_end: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = _now,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._url = DrainUrl.parse(url)
        self._app = check_field("app", app)
        self._proc = check_field("proc", proc)
        self._queue_lines = queue_lines
        self._drop_when_full = drop_when_full
        self._on_end = on_end
        self._now = now
        self._clock = clock

        self._changed = threading.Condition()  # guards everything below
        self._waiting = Batcher(lines_max=batch_lines, wait_s=batch_wait_s)
        self._finishing = False  # no more lines come
        self._ended = False  # the sender has ended
        self._taken = self._sent = self._dropped = self._retries = 0
        self._last_error = ""
        self._refused = False

        self._abandoned = threading.Event()  # nobody waits for the sender any more
        self._connection = DrainConnection(self._url, timeout_s=timeout_s)
        # Trouble may last long: its beginning and end are logged, not each try.
        self._is_retrying = self._is_losing = False
        self._courier = Courier(
            post=self._post,
            give_up_after_s=give_up_after_s,
            clock=clock,
            pause=pause or self._abandoned.wait,
            new_id=lambda: secrets.token_hex(16).upper(),
            jitter=random.random,
        )
        self._sender = threading.Thread(target=self._run, name="logdrain-shipper", daemon=True)
        self._sender.start()

    def put(self, line: bytes) -> None:
        """Take one line, without its newline; waits while the queue is full.

        A line above 16 MiB, or one that comes after `finish` or a refused key, is counted as failed.
        """
        data = frame(self._now(), self._app, self._proc, line)
        with self._changed:
            self._taken += 1
            if len(line) > LINE_SIZE_MAX_BYTES:
                self._last_error = f"a line is longer than {LINE_SIZE_MAX_BYTES >> 20} MiB"
                return
            while self._is_full() and not self._is_over():
                if self._drop_when_full:
                    self._dropped += 1
                    self._last_error = f"the queue of {self._queue_lines} lines was full"
                    return
                self._changed.wait()
            if not self._is_over():
                now_s = self._clock()
                self._waiting.add(data, now_s)
                if len(self._waiting) == 1 or self._waiting.wait_s(now_s) == 0:
                    self._changed.notify_all()

    def finish(self) -> None:
        """Say that the last line has been put: what waits goes at once, and then the sender ends."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    def close(self, timeout_s: float | None = None) -> Report:
        """Finish, wait until every line is settled, and report.

        Args:
            timeout_s: Wait at most so long; what is not confirmed then counts as failed. None waits until
                each batch is delivered or given up.
        """
        self.finish()
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended, timeout_s):
                self._abandoned.set()
            failed = self._taken - self._sent
            reason = self._last_error or "the drain has not confirmed them in time"
            return Report(
                sent=self._sent,
                failed=failed,
                dropped=self._dropped,
                retries=self._retries,
                last_error=reason if failed else "",
                refused=self._refused,
            )

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._queue_lines or self._waiting.size_bytes >= QUEUE_SIZE_BYTES

    def _is_over(self) -> bool:
        return self._finishing or self._ended

    def _run(self) -> None:
        try:
            while not self._refused and (batch := self._next_batch()):
                self._note(self._courier.deliver(batch), len(batch))
        finally:
            self._connection.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._on_end()

    def _next_batch(self) -> list[bytes]:
        """Wait for the next batch; empty when there is nothing more to do."""
        with self._changed:
            while not self._abandoned.is_set():
                wait_s = self._waiting.wait_s(self._clock())
                if self._finishing or wait_s == 0:
                    self._changed.notify_all()  # there is room now
                    return self._waiting.take()
                self._changed.wait(wait_s)
            return []

    def _note(self, outcome: Outcome, lines: int) -> None:
        with self._changed:
            self._sent += outcome.sent
            self._retries += outcome.retries
            self._last_error = outcome.reason or self._last_error
            self._refused = outcome.refused
        is_losing = outcome.sent < lines
        if is_losing and not self._is_losing and not outcome.refused:  # a refused key ends it: see the report
            log.error("lines_undelivered", lines=lines - outcome.sent, reason=outcome.reason)
        self._is_losing = is_losing

    def _post(self, body: bytes, delivery_id: str, message_count: int) -> Answer:
        answer = self._connection.post(body, delivery_id, message_count)
        is_retried = verdict_on(answer.status) is Verdict.RETRY
        if is_retried and not self._is_retrying:
            log.warning("delivery_retried", reason=answer.reason)
        elif self._is_retrying and not is_retried:
            log.info("delivery_resumed", drain=self._url.shown)
        self._is_retrying = is_retried
        return answer
