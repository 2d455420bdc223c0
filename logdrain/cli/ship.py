"""`logdrain ship`: a pipe that sends what passes through it to a drain."""

import argparse
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from queue import SimpleQueue
from types import FrameType

from logdrain import log
from logdrain.cli import servers
from logdrain.clients import framing, http_drain, http_shipper
from logdrain.clients.framing import LineSplitter
from logdrain.clients.http_shipper import LINE_SIZE_MAX_BYTES, Report, Shipper
from logdrain.errors import DeliveryFailed, Unauthorized, UsageError

_DESCRIPTION = """\
Reads STDIN, copies it unchanged to STDOUT, and sends each line to a drain as Logplex does:

  python shop.py | logdrain ship --url https://shop:KEY@host/logs

Memory is bounded: while the drain is away and the queue is full, reading stops, and so the program before
the pipe waits when it prints; --drop-when-full drops and counts lines instead. At the end of STDIN all that
waits is sent. SIGTERM and SIGINT end reading, and what was read is sent within 10 seconds; a second one ends
at once. Exit status 1 if any line could not be delivered, with their number."""

_STOP_WITHIN_S = 10.0
_COPY_WITHIN_S = 1.0
_CHUNK_SIZE_BYTES = 64 * 1024  # also what a pipe holds, so one read empties it


class _Event(Enum):
    """What the command waits for."""

    INPUT_ENDED = auto()
    SENDER_ENDED = auto()
    SIGNAL = auto()


def add_ship_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument(
        "--url",
        help="drain URL with its key (default: LOGDRAIN_URL, which `ps` does not show; "
        "else the drain of a running `logdrain up`)",
    )
    parser.add_argument("--app", default="app", help="APP field of each line (default: %(default)s)")
    parser.add_argument("--proc", default="web.1", help="PROCID field of each line (default: %(default)s)")
    for name, default, meaning in (
        ("--batch-lines", framing.BATCH_LINES, "most lines in one request, besides 100 KiB of them"),
        ("--batch-wait-ms", int(framing.BATCH_WAIT_S * 1000), "longest wait of a line for others"),
        ("--queue-lines", http_shipper.QUEUE_LINES, "most lines that wait in memory, besides 32 MiB of them"),
    ):
        parser.add_argument(
            name, type=_positive, default=default, metavar="N", help=f"{meaning} (default: %(default)s)"
        )
    parser.add_argument(
        "--give-up-after",
        type=_seconds,
        default=http_shipper.GIVE_UP_AFTER_S,
        metavar="S",
        help="try a request again for so many seconds (default: %(default)g)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=http_drain.TIMEOUT_S,
        metavar="S",
        help="wait so many seconds for an answer (default: %(default)g)",
    )
    parser.add_argument(
        "--drop-when-full", action="store_true", help="drop lines while the queue is full, instead of waiting"
    )
    servers.add_data_argument(parser)


def run_ship(arguments: argparse.Namespace) -> int:
    """Ship STDIN until it ends or a signal comes.

    Raises:
        UsageError: the URL or a field cannot be used.
        NotRunning: no URL is given and no `logdrain up` runs.
        Unauthorized: the drain turned the key away.
        DeliveryFailed: lines are undelivered.
    """
    url = arguments.url or os.environ.get("LOGDRAIN_URL") or servers.drain_url(arguments)
    if sys.stdin is None or sys.stdout is None:
        raise UsageError("STDIN or STDOUT is closed", hint="give it /dev/null where it is not needed")
    source, echo = sys.stdin.fileno(), sys.stdout.fileno()
    events: SimpleQueue[_Event] = SimpleQueue()
    shipper = Shipper(
        url,
        app=arguments.app,
        proc=arguments.proc,
        batch_lines=arguments.batch_lines,
        batch_wait_s=arguments.batch_wait_ms / 1000,
        queue_lines=arguments.queue_lines,
        drop_when_full=arguments.drop_when_full,
        give_up_after_s=arguments.give_up_after,
        timeout_s=arguments.timeout,
        on_end=lambda: events.put(_Event.SENDER_ENDED),
    )
    reader = _Reader(source, echo, shipper.put, on_end=lambda: events.put(_Event.INPUT_ENDED))
    with _signals_to(events):
        reader.start()
        event = events.get()
        if event is _Event.INPUT_ENDED:
            shipper.finish()
            event = events.get()
        report = _settle(reader, shipper, _STOP_WITHIN_S if event is _Event.SIGNAL else 0.0)
    _raise_for(report)
    if reader.problem:
        raise DeliveryFailed(reader.problem)
    lines = "1 line" if report.sent == 1 else f"{report.sent} lines"
    retries = f", {report.retries} requests sent again" if report.retries else ""
    sys.stderr.write(f"logdrain: {lines} delivered{retries}\n")
    return 0


class _Reader(threading.Thread):
    """Copies a file to another and hands over its lines.

    Attributes:
        problem: What kept lines from being handed over, or "".
    """

    def __init__(
        self, source: int, echo: int, take_line: Callable[[bytes], None], on_end: Callable[[], None]
    ) -> None:
        super().__init__(name="logdrain-ship-reader", daemon=True)
        self.problem = ""
        self._source = source
        self._echo: int | None = echo
        self._take_line = take_line
        self._on_end = on_end
        self._stop_asked, self._ask_stop = os.pipe()

    def stop(self) -> None:
        """Ask to end, after one last look at what has been printed already."""
        os.write(self._ask_stop, b"\n")

    def run(self) -> None:
        splitter = LineSplitter(LINE_SIZE_MAX_BYTES)
        try:
            for chunk in self._chunks():
                self._copy(chunk)
                for line in splitter.feed(chunk):
                    self._take_line(line)
            for line in splitter.rest():
                self._take_line(line)
        except OSError as problem:
            self.problem = f"STDIN cannot be read any further: {problem.strerror}"
        finally:
            self._on_end()

    def _chunks(self) -> Iterator[bytes]:
        is_last = False
        while not is_last:
            ready, _, _ = select.select([self._source, self._stop_asked], [], [])
            is_last = self._stop_asked in ready
            if self._source not in ready:
                continue
            chunk = os.read(self._source, _CHUNK_SIZE_BYTES)
            if not chunk:
                return
            yield chunk

    def _copy(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left and self._echo is not None:
            try:
                left = left[os.write(self._echo, left) :]
            except BlockingIOError:  # whoever made the pipe does not want it to block
                select.select([], [self._echo], [])
            except BrokenPipeError:  # whoever read the copy has seen enough; the drain has not
                self._echo = None
            except OSError as problem:
                self._echo = None
                log.warning("copy_ended", reason=problem.strerror)


@contextmanager
def _signals_to(events: SimpleQueue[_Event]) -> Iterator[None]:
    """Turn the first SIGTERM or SIGINT into an event; the second has its usual effect."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def note(_number: int, _frame: FrameType | None) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        events.put(_Event.SIGNAL)  # SimpleQueue.put is made to be called from a handler

    for number in before:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settle(reader: _Reader, shipper: Shipper, within_s: float) -> Report:
    """End the reader, then the shipper, so that no line falls between them."""
    end_s = time.monotonic() + within_s
    reader.stop()
    reader.join(within_s)  # it may wait for room in the queue
    shipper.finish()  # now it does not
    reader.join(_COPY_WITHIN_S)
    if reader.is_alive():
        reader.problem = "STDOUT takes no more, so what was read last was not sent"
    return shipper.close(max(0.0, end_s - time.monotonic()))


def _raise_for(report: Report) -> None:
    if not report.failed:
        return
    lines = "1 line" if report.failed == 1 else f"{report.failed} lines"
    message = f"{lines} of {report.sent + report.failed} could not be delivered: {report.last_error}"
    if report.refused:
        raise Unauthorized(message, hint="the password in the drain URL must be a key of scope drain")
    if report.dropped == report.failed:
        raise DeliveryFailed(message, hint="raise --queue-lines, or wait instead of --drop-when-full")
    raise DeliveryFailed(
        message, hint="check the URL, and that the drain runs and takes lines this long; see --give-up-after"
    )


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
