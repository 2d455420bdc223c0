from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count

import pytest

from logdrain.clients.delivery import Answer, Courier, Outcome, Verdict, backoff_s, retry_after_s, verdict_on

NOW = datetime(2012, 3, 1, 12, tzinfo=UTC)
FRAMES = [b"one\n", b"two\n", b"three\n", b"four\n"]


class Drain:
    """Answers with the given statuses, the last one for ever, on a clock that only pauses move."""

    def __init__(
        self, *statuses: int | None, asked_s: float = 0.0, line_limit: int | None = None, stop: bool = False
    ) -> None:
        self._statuses = list(statuses)
        self._asked_s = asked_s
        self._line_limit = line_limit
        self._stop = stop
        self.now_s = 1000.0
        self.posts: list[tuple[bytes, str, int]] = []
        self.times_s: list[float] = []

    def post(self, body: bytes, delivery_id: str, message_count: int) -> Answer:
        self.posts.append((body, delivery_id, message_count))
        self.times_s.append(self.now_s - 1000.0)
        if self._line_limit is not None:
            status: int | None = 413 if message_count > self._line_limit else 204
        else:
            status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return Answer(status, self._asked_s, f"answered {status}")

    def pause(self, seconds: float) -> bool:
        assert seconds > 0
        self.now_s += seconds
        return self._stop

    def deliver(self, frames: Iterable[bytes] = FRAMES, *, give_up_after_s: float = 60.0) -> Outcome:
        ids = (f"id-{number}" for number in count(1))
        courier = Courier(
            post=self.post,
            give_up_after_s=give_up_after_s,
            clock=lambda: self.now_s,
            pause=self.pause,
            new_id=lambda: next(ids),
            jitter=lambda: 0.0,
        )
        return courier.deliver(list(frames))


def test_a_batch_is_one_body_with_one_id_and_a_count() -> None:
    drain = Drain(204)

    assert drain.deliver() == Outcome(sent=4, retries=0, reason="", refused=False)
    assert drain.posts == [(b"one\ntwo\nthree\nfour\n", "id-1", 4)]


@pytest.mark.parametrize("status", [None, 500, 503, 429, 408, 301, 307])
def test_what_may_pass_is_sent_again_the_same(status: int | None) -> None:
    drain = Drain(status, status, 200)

    assert drain.deliver() == Outcome(sent=4, retries=2, reason="", refused=False)
    assert drain.posts == [drain.posts[0]] * 3


def test_the_wait_doubles() -> None:
    drain = Drain(503, 503, 503, 503, 204)

    drain.deliver()

    assert drain.times_s == pytest.approx([0.0, 0.1, 0.3, 0.7, 1.5])


def test_the_last_try_is_when_the_time_is_up() -> None:
    drain = Drain(None)

    outcome = drain.deliver(give_up_after_s=60.0)

    assert outcome.sent == 0
    assert outcome.reason == "answered None"
    assert drain.times_s[-1] == pytest.approx(60.0)
    assert outcome.retries == len(drain.posts) - 1


def test_a_drain_that_asks_for_time_gets_it() -> None:
    drain = Drain(429, 204, asked_s=7.0)

    drain.deliver()

    assert drain.times_s == [0.0, 7.0]


def test_nothing_is_tried_again_once_everything_is_to_stop() -> None:
    drain = Drain(503, stop=True)

    assert drain.deliver() == Outcome(sent=0, retries=0, reason="answered 503", refused=False)
    assert len(drain.posts) == 1


@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_other_4xx_are_final(status: int) -> None:
    drain = Drain(status)

    assert drain.deliver() == Outcome(sent=0, retries=0, reason=f"answered {status}", refused=False)
    assert len(drain.posts) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_good_ends_it(status: int) -> None:
    assert Drain(status).deliver() == Outcome(sent=0, retries=0, reason=f"answered {status}", refused=True)


def test_a_batch_too_large_goes_in_halves_in_order() -> None:
    drain = Drain(line_limit=1)

    assert drain.deliver(FRAMES[:3]) == Outcome(sent=3, retries=0, reason="", refused=False)
    assert [(body, messages) for body, _, messages in drain.posts] == [
        (b"one\ntwo\nthree\n", 3),
        (b"one\n", 1),
        (b"two\nthree\n", 2),
        (b"two\n", 1),
        (b"three\n", 1),
    ]
    assert len({delivery_id for _, delivery_id, _ in drain.posts}) == 5


def test_a_single_line_too_large_is_undelivered_and_its_neighbours_are_not() -> None:
    drain = Drain(413, 204, 413, 413, 204)  # all, first half, second half, three, four

    assert drain.deliver() == Outcome(sent=3, retries=0, reason="answered 413", refused=False)


def test_the_wait_is_limited_and_spread() -> None:
    assert backoff_s(1, 0.0, 0.0) == pytest.approx(0.1)
    assert backoff_s(1, 0.0, 1.0) == pytest.approx(0.05)
    assert backoff_s(10_000, 0.0, 0.0) == 5.0
    assert backoff_s(1, 86_400.0, 0.0) == 30.0
    assert backoff_s(9, 0.5, 0.0) == 5.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("Thu, 01 Mar 2012 12:00:30 GMT", 30.0),
        ("Thu, 01 Mar 2012 11:00:00 GMT", 0.0),
        ("Thu, 01 Mar 2012 12:00:30 -0000", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("-5", 0.0),
        ("²", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_every_2xx_is_delivered() -> None:
    assert {verdict_on(status) for status in (200, 202, 204, 299)} == {Verdict.DELIVERED}
