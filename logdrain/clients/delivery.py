"""One batch -> delivered, split, tried again or given up. The connection, clock and pause are passed in.

A delivery id is made once for a batch and repeated with every try, so that a drain can tell a retry from
new lines. It is never made from the content: two batches with the same lines are two batches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import NamedTuple

_BACKOFF_FIRST_S = 0.1
_BACKOFF_MAX_S = 5.0
_RETRY_AFTER_MAX_S = 30.0


class Answer(NamedTuple):
    """What came back for one POST.

    Attributes:
        status: HTTP status, or None where there was no answer.
        retry_after_s: What the drain asks to wait, 0 if it does not.
        reason: For people: who answered what. No secret in it.
    """

    status: int | None
    retry_after_s: float
    reason: str


class Verdict(Enum):
    """What an answer means for the batch."""

    DELIVERED = auto()
    RETRY = auto()  # it may pass the next time
    TOO_LARGE = auto()  # smaller parts may pass
    FAILED = auto()  # it never will
    REFUSED = auto()  # neither will any other batch: the key is not good


class Outcome(NamedTuple):
    """What became of one batch, counted in lines.

    Attributes:
        sent: Lines that the drain has confirmed; the others are undelivered.
        retries: POSTs beyond the first of each delivery id.
        reason: Why lines are undelivered, or "".
        refused: The drain turned the key away.
    """

    sent: int
    retries: int
    reason: str
    refused: bool


Post = Callable[[bytes, str, int], Answer]
"""(body, delivery id, number of messages) -> answer; does not raise."""


def verdict_on(status: int | None) -> Verdict:
    """What a status means; None is "no answer".

    Redirects are tried again, as Logplex does: a maintenance page may be behind them. They are not
    followed, because the key would go to a server that nobody has named.
    """
    match status:
        case None | HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.REQUEST_TIMEOUT:
            return Verdict.RETRY
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Verdict.REFUSED
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Verdict.TOO_LARGE
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict.DELIVERED
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.FAILED
    return Verdict.RETRY


def retry_after_s(header: str, now: datetime) -> float:
    """Read a Retry-After header (RFC 9110 section 10.2.3: seconds or a date); 0 where it cannot be read."""
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        until: datetime = parsedate_to_datetime(header)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # not a date, or one without a zone
        return 0.0


def backoff_s(retry: int, asked_s: float, jitter: float) -> float:
    """How long to wait before a retry.

    Args:
        retry: 1 for the first; the wait doubles from 0.1 s up to 5 s.
        asked_s: What the drain asks for; honoured up to 30 s.
        jitter: 0 to 1; takes away up to half, so that many senders do not come back at once.
    """
    doublings = min(retry - 1, 10)  # enough to pass the limit; a float cannot hold thousands
    own_s = min(_BACKOFF_FIRST_S * 2.0**doublings, _BACKOFF_MAX_S) * (1 - jitter / 2)
    return max(own_s, min(asked_s, _RETRY_AFTER_MAX_S))


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers batches over one connection, one after the other.

    Attributes:
        post: Sends a body.
        give_up_after_s: So long a batch is tried again after its first try.
        clock: Monotonic seconds.
        pause: Waits so many seconds; returns True if everything is to stop.
        new_id: Makes a delivery id.
        jitter: Makes a number from 0 to 1.
    """

    post: Post
    give_up_after_s: float
    clock: Callable[[], float]
    pause: Callable[[float], bool]
    new_id: Callable[[], str]
    jitter: Callable[[], float]

    def deliver(self, frames: Sequence[bytes]) -> Outcome:
        """Deliver a batch; where it is too large its halves, in order, each with a delivery id of its own."""
        sent = retries = 0
        reason = ""
        waiting = [frames]
        while waiting:
            batch = waiting.pop()
            verdict, why, tries = self._try_until_settled(batch)
            retries += tries - 1
            if verdict is Verdict.DELIVERED:
                sent += len(batch)
            elif verdict is Verdict.TOO_LARGE and len(batch) > 1:
                middle = len(batch) // 2
                waiting += batch[middle:], batch[:middle]
            else:
                reason = why
            if verdict is Verdict.REFUSED:
                return Outcome(sent, retries, reason, refused=True)
        return Outcome(sent, retries, reason, refused=False)

    def _try_until_settled(self, batch: Sequence[bytes]) -> tuple[Verdict, str, int]:
        """(verdict, reason, tries); the verdict is RETRY where the batch was given up."""
        body = b"".join(batch)
        delivery_id = self.new_id()
        give_up_at_s = self.clock() + self.give_up_after_s
        tries = 0
        while True:
            answer = self.post(body, delivery_id, len(batch))
            tries += 1
            verdict = verdict_on(answer.status)
            left_s = give_up_at_s - self.clock()
            if verdict is not Verdict.RETRY or left_s <= 0:
                return verdict, answer.reason, tries
            # The last try comes when the time is up, not before.
            if self.pause(min(left_s, backoff_s(tries, answer.retry_after_s, self.jitter()))):
                return verdict, answer.reason, tries
