"""What a worker does beside running slices: late events, notices, retention (it forgets what is old)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from logdrain import log
from logdrain.config import Settings
from logdrain.errors import LogdrainError
from logdrain.model.notices import Notice
from logdrain.ports.clock import Clock
from logdrain.ports.events import LateNotes
from logdrain.ports.ledger import History, LateWork, Notices

NOTICE_ATTEMPTS_MAX = 20
"""A notice that could not be sent so often, over about three days, is given up."""

NOTES_KEEP = timedelta(days=31)
"""Notes of late events that are older bring nothing back any more, and are forgotten."""

# Notes of several drains may become readable in another order than they are dated.
_NOTES_OVERLAP = timedelta(minutes=1)
_FORGET_EVERY = timedelta(minutes=10)


class Chores:
    """One round of each chore; a chore that fails does not hold up the others.

    Args:
        history: Where old runs are forgotten.
        late_work: Which slices have read what; any number of workers may ask it.
        notices: Those to send.
        send: Sends a notice; returns "" or the reason why it was not taken.
        clock: What the time is.
        late_notes: What the drains have noted about late events.
        settings: Where notices go that do not say ("" drops them), and how long runs are kept.
    """

    def __init__(
        self,
        history: History,
        late_work: LateWork,
        notices: Notices,
        send: Callable[[Notice], str],
        clock: Clock,
        *,
        late_notes: LateNotes,
        settings: Settings,
    ) -> None:
        self._history = history
        self._late_work = late_work
        self._notices = notices
        self._send = send
        self._clock = clock
        self._late_notes = late_notes
        self._notify_url = settings.notify_url
        self._keep = timedelta(days=settings.history_keep_days)
        self._notes_read_until: datetime | None = None
        self._forget_at: datetime | None = None
        self._failing: set[str] = set()

    def round(self) -> None:
        """Do what there is to do."""
        for chore in (self._ask_late, self._ask_followers, self._send_notices, self._forget_old):
            try:
                chore()
            except LogdrainError as error:
                self._tell_once(chore.__name__, error)
            else:
                self._failing.discard(chore.__name__)

    def _tell_once(self, chore: str, error: LogdrainError) -> None:
        if chore not in self._failing:
            log.warning("worker_chore_waits", chore=chore.strip("_"), code=error.code, message=error.located)
        self._failing.add(chore)

    def _ask_late(self) -> None:
        """Read the drains' notes that are new, and ask for their slices; what fails is read again."""
        store_time = self._late_notes.store_time()
        read_until = self._notes_read_until
        since = store_time - NOTES_KEEP if read_until is None else read_until - _NOTES_OVERLAP
        notes = self._late_notes.notes(since)
        _tell_asked(self._late_work.ask_late(notes, store_time, self._clock.now()))
        self._notes_read_until = store_time

    def _ask_followers(self) -> None:
        _tell_asked(self._late_work.ask_followers(self._clock.now()))

    def _send_notices(self) -> None:
        while (notice := self._notices.take()) is not None:
            pairs = {"event_told": notice.body.get("event"), "schedule": notice.body.get("schedule")}
            url = notice.url or self._notify_url
            reason = self._send(notice._replace(url=url)) if url else ""
            if reason:
                log.warning("notice_not_sent", **pairs, reason=reason, attempt=notice.attempts)
            if not reason or notice.attempts >= NOTICE_ATTEMPTS_MAX:
                self._notices.drop(notice.key)

    def _forget_old(self) -> None:
        now = self._clock.now()
        if self._forget_at is None or now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY
            while self._history.forget(now - self._keep):
                pass
            self._late_work.forget(now - NOTES_KEEP, now)


def _tell_asked(count: int) -> None:
    if count:
        log.info("slices_asked_again", cause="late", slices=count)
