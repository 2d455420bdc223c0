"""What a worker does beside running slices: late events, notices, forgetting what is old."""

from collections.abc import Callable
from datetime import datetime, timedelta

from logdrain import log
from logdrain.errors import LogdrainError
from logdrain.model.jobs import Notice
from logdrain.ports.clock import Clock
from logdrain.ports.ledger import Ledger
from logdrain.worker.late_runs import NOTES_KEEP, LateRuns

NOTICE_ATTEMPTS_MAX = 20
"""A notice that could not be sent so often, over about three days, is given up."""

_FORGET_EVERY = timedelta(minutes=10)


class Chores:
    """One round of each chore, a chore that fails does not hold up the others.

    Args:
        ledger: Has notices and history.
        late: Asks for slices that have not seen late events; None where there is no store.
        send: Sends a notice; returns "" or the reason why it was not taken.
        clock: What the time is.
        notify_url: Where notices go whose schedule does not say; "" drops them.
        history_keep_days: Runs that ended before are forgotten.
    """

    def __init__(
        self,
        ledger: Ledger,
        late: LateRuns | None,
        send: Callable[[Notice], str],
        clock: Clock,
        *,
        notify_url: str,
        history_keep_days: int,
    ) -> None:
        self._ledger = ledger
        self._late = late
        self._send = send
        self._clock = clock
        self._notify_url = notify_url
        self._keep = timedelta(days=history_keep_days)
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
        count = self._late.ask() if self._late is not None else 0
        if count:
            log.info("slices_asked_again", cause="late", slices=count)

    def _ask_followers(self) -> None:
        count = self._ledger.ask_followers(self._clock.now())
        if count:
            log.info("slices_asked_again", cause="late", slices=count)

    def _send_notices(self) -> None:
        while (notice := self._ledger.take_notice()) is not None:
            pairs = {"event_told": notice.body.get("event"), "schedule": notice.body.get("schedule")}
            url = notice.url or self._notify_url
            reason = self._send(notice._replace(url=url)) if url else ""
            if reason:
                log.warning("notice_not_sent", **pairs, reason=reason, attempt=notice.attempts)
            if not reason or notice.attempts >= NOTICE_ATTEMPTS_MAX:
                self._ledger.drop_notice(notice.key)

    def _forget_old(self) -> None:
        now = self._clock.now()
        if self._forget_at is None or now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY
            while self._ledger.forget_old(now - self._keep, now - NOTES_KEEP, now):
                pass
