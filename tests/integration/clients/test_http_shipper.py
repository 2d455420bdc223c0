import re
import socket
import threading
from datetime import UTC, datetime

import pytest

from logdrain.clients.http_shipper import LINE_SIZE_MAX_BYTES, Report, Shipper
from tests.integration.clients.scripted_drain import (
    WITHIN_S,
    Reaction,
    ScriptedDrain,
    answer,
    answer_and_hang_up,
    hang_up,
    hold,
    refuse_unread,
)


class Clock:
    """Stands still but for pauses, so batches go when they are full or when the shipper is closed."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.pauses_s: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> bool:
        self.now_s += seconds
        self.pauses_s.append(seconds)
        return False


def ship(
    url: str, *lines: bytes, batch_lines: int = 500, timeout_s: float = WITHIN_S
) -> tuple[Report, Clock]:
    clock = Clock()
    shipper = Shipper(url, batch_lines=batch_lines, timeout_s=timeout_s, clock=clock, pause=clock.pause)
    for line in lines:
        shipper.put(line)
    return shipper.close(WITHIN_S), clock


def delivered(number: int, *, retries: int = 0) -> Report:
    return Report(sent=number, failed=0, dropped=0, retries=retries, last_error="", refused=False)


def test_a_delivery_is_what_logplex_sends() -> None:
    noon = datetime(2012, 3, 1, 12, tzinfo=UTC)
    with ScriptedDrain() as drain:
        shipper = Shipper(drain.url, app="shop", proc="run.1", now=lambda: noon)
        shipper.put(b'@[production.pay] {"price":1}')
        shipper.put(b"")

        assert shipper.close(WITHIN_S) == delivered(2)
        (request,) = drain.requests
    assert request.path == "/logs"
    assert request.body == (
        b'88 <190>1 2012-03-01T12:00:00.000000+00:00 host shop run.1 - @[production.pay] {"price":1}\n'
        b"59 <190>1 2012-03-01T12:00:00.000000+00:00 host shop run.1 - \n"
    )
    assert re.fullmatch("[0-9A-F]{32}", request.id)
    assert request.headers["X-Request-Id"] == request.id
    assert request.headers["Logplex-Msg-Count"] == "2"
    assert request.headers["Content-Type"] == "application/logplex-1"
    assert request.headers["Authorization"] == "Basic c2hvcDpLRVk="
    assert request.headers["User-Agent"].startswith("logdrain-ship/")


def test_a_line_is_sent_when_it_has_waited_long_enough() -> None:
    with ScriptedDrain() as drain:
        shipper = Shipper(drain.url, batch_wait_s=0.01)
        shipper.put(b"alone")
        drain.wait_for_requests(1)
        shipper.close(WITHIN_S)


def test_batches_keep_order_use_one_connection_and_have_ids_of_their_own() -> None:
    with ScriptedDrain() as drain:
        report, _ = ship(drain.url, *[b"same"] * 6, batch_lines=2)

    assert report == delivered(6)
    assert [request.lines for request in drain.requests] == [[b"same", b"same"]] * 3
    assert len({request.id for request in drain.requests}) == 3
    assert len({request.client_port for request in drain.requests}) == 1


@pytest.mark.parametrize(
    "trouble", [answer(500), answer(503), answer(429), answer(302, Location="/x"), hang_up]
)
def test_a_retry_repeats_body_and_id(trouble: Reaction) -> None:
    with ScriptedDrain(trouble, trouble) as drain:
        report, _ = ship(drain.url, b"one", b"\xff\x00two")

    assert report == delivered(2, retries=2)
    assert [request.lines for request in drain.requests] == [[b"one", b"\xff\x00two"]] * 3
    assert len({(request.id, request.body) for request in drain.requests}) == 1


def test_a_drain_that_does_not_answer_is_asked_again() -> None:
    with ScriptedDrain(hold) as drain:
        report, _ = ship(drain.url, b"one", timeout_s=0.05)

    assert report == delivered(1, retries=1)
    assert len({request.id for request in drain.requests}) == 1


def test_a_connection_that_was_closed_while_idle_is_no_trouble() -> None:
    with ScriptedDrain(answer_and_hang_up, answer_and_hang_up) as drain:
        report, clock = ship(drain.url, b"one", b"two", b"three", batch_lines=1)

    assert report == delivered(3)
    assert clock.pauses_s == []


def test_retry_after_is_honoured() -> None:
    with ScriptedDrain(answer(429, Retry_After="7")) as drain:
        _, clock = ship(drain.url, b"one")

    assert clock.pauses_s == [7.0]


def test_a_drain_that_is_away_too_long_loses_its_lines_and_they_are_counted() -> None:
    with ScriptedDrain(always=answer(503)) as drain:
        report, clock = ship(drain.url, b"one", b"two", b"three", batch_lines=2)

    assert (report.sent, report.failed) == (0, 3)
    assert report.last_error.endswith("/logs answered 503")
    assert clock.now_s == pytest.approx(120.0)  # a minute for each of two batches


def test_a_drain_that_is_not_there_is_named_without_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    report, _ = ship(f"http://shop:KEY@127.0.0.1:{port}/logs", b"one")

    assert report.failed == 1
    assert report.last_error == f"http://127.0.0.1:{port}/logs cannot be reached: connection refused"
    printed = capsys.readouterr().err
    assert "delivery_retried" in printed
    assert "KEY" not in printed


def test_redirects_are_not_followed() -> None:
    with ScriptedDrain() as elsewhere, ScriptedDrain(always=answer(301, Location=elsewhere.url)) as drain:
        report, _ = ship(drain.url, b"one")

    assert elsewhere.requests == []
    assert "answered 301, a redirect to 'http://shop:***@127.0.0.1" in report.last_error


def test_a_bad_key_ends_everything_at_once() -> None:
    ended = threading.Event()
    with ScriptedDrain(always=answer(401)) as drain:
        shipper = Shipper(drain.url, batch_lines=1, queue_lines=1, on_end=ended.set)
        shipper.put(b"one")
        assert ended.wait(WITHIN_S)
        for line in (b"two", b"three", b"four"):
            shipper.put(line)
        report = shipper.close(WITHIN_S)

    assert len(drain.requests) == 1
    assert (report.sent, report.failed, report.refused) == (0, 4, True)
    assert report.last_error.endswith("answered 401")


def test_what_is_too_large_goes_in_parts_with_ids_of_their_own() -> None:
    with ScriptedDrain(answer(413)) as drain:
        report, _ = ship(drain.url, b"one", b"two", b"three")

    assert report == delivered(3)
    assert [request.lines for request in drain.requests[1:]] == [[b"one"], [b"two", b"three"]]
    assert len({request.id for request in drain.requests}) == 3


def test_an_answer_that_comes_before_the_body_is_sent_counts() -> None:
    with ScriptedDrain(refuse_unread) as drain:
        report, _ = ship(drain.url, b"x" * 8_000_000, b"small")

    assert (report.sent, report.failed, report.retries) == (1, 1, 0)
    assert report.last_error.endswith("answered 413")
    assert drain.lines == [b"small"]


def test_a_long_line_goes_whole_and_alone() -> None:
    long_line = b"x" * 1_000_000
    with ScriptedDrain() as drain:
        report, _ = ship(drain.url, b"before", long_line, b"after")

    assert report == delivered(3)
    assert [request.lines for request in drain.requests] == [[b"before"], [long_line], [b"after"]]


def test_a_line_that_no_drain_takes_is_not_sent() -> None:
    with ScriptedDrain() as drain:
        report, _ = ship(drain.url, b"x" * (LINE_SIZE_MAX_BYTES + 1), b"next")

    assert (report.sent, report.failed) == (1, 1)
    assert report.last_error == "a line is longer than 16 MiB"
    assert drain.lines == [b"next"]


def test_a_full_queue_makes_the_application_wait() -> None:
    lines = [b"%d" % number for number in range(10)]
    taken: list[bytes] = []
    with ScriptedDrain(hold) as drain:
        shipper = Shipper(drain.url, batch_lines=1, queue_lines=2)

        def print_all() -> None:
            for line in lines:
                shipper.put(line)
                taken.append(line)

        application = threading.Thread(target=print_all)
        application.start()
        drain.wait_for_requests(1)
        application.join(0.2)
        assert application.is_alive()
        assert len(taken) == 3  # one under way, two waiting

        drain.released.set()
        application.join(WITHIN_S)
        assert shipper.close(WITHIN_S) == delivered(10)
    assert drain.lines == lines


def test_or_drops_and_counts() -> None:
    with ScriptedDrain(hold) as drain:
        shipper = Shipper(drain.url, batch_lines=1, queue_lines=2, drop_when_full=True)
        shipper.put(b"0")
        drain.wait_for_requests(1)
        for number in range(1, 10):
            shipper.put(b"%d" % number)
        drain.released.set()
        report = shipper.close(WITHIN_S)

    assert drain.lines == [b"0", b"1", b"2"]
    assert (report.sent, report.failed, report.dropped) == (3, 7, 7)
    assert report.last_error == "the queue of 2 lines was full"


def test_closing_waits_no_longer_than_it_may() -> None:
    with ScriptedDrain(hold) as drain:
        shipper = Shipper(drain.url, batch_lines=2)
        for line in (b"one", b"two", b"three"):
            shipper.put(line)
        drain.wait_for_requests(1)
        report = shipper.close(0.01)

    assert (report.sent, report.failed) == (0, 3)
    assert report.last_error == "the drain has not confirmed them in time"


def test_what_comes_after_the_end_is_counted() -> None:
    with ScriptedDrain() as drain:
        shipper = Shipper(drain.url)
        shipper.put(b"in time")
        shipper.finish()
        shipper.put(b"late")
        report = shipper.close(WITHIN_S)

    assert drain.lines == [b"in time"]
    assert (report.sent, report.failed) == (1, 1)
