"""Sends deliveries over many keep-alive connections, cheaply: requests are made before the clock starts.

    python -m bench.ingest.sender '{"address": "127.0.0.1:5000", "frames": 100, ...}'

Prints what it saw as JSON. One thread on epoll: a request costs two system calls and a little Python.
"""

import base64
import json
import select
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.ingest.corpus import Corpus, frames_of

READ_SIZE_BYTES = 64 * 1024
BUFFER_SIZE_BYTES = 4 * 1024 * 1024
ACCEPTED = b"HTTP/1.1 2"
END_OF_ANSWER = b"\r\n\r\n"
HEAD = (
    "POST /logs HTTP/1.1\r\nHost: drain\r\nUser-Agent: Logplex/v72\r\n"
    "Authorization: Basic {authorization}\r\n"
    "Content-Type: application/logplex-1\r\nLogplex-Msg-Count: {frames}\r\nLogplex-Frame-Id: {name}\r\n"
    "Logplex-Drain-Token: d.00000000-0000-0000-0000-000000000000\r\nContent-Length: {size}\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Sending:
    """One run of the sender.

    Attributes:
        address: HOST:PORT of the drain.
        key: Opens it.
        start: Number of the first frame; the next run begins where this one stopped.
        count: How many frames.
        frames: Frames a delivery.
        corpus: What they hold, as the fields of Corpus.
        rate: Deliveries a second; 0 is as many as are answered.
    """

    address: str
    key: str
    start: int
    count: int
    frames: int
    connections: int
    corpus: dict[str, Any] = field(default_factory=lambda: asdict(Corpus()))
    rate: float = 0.0


class Connection:
    """A keep-alive connection: one delivery under way, then the next."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_SIZE_BYTES)
        self.socket.setblocking(False)  # noqa: FBT003  # the socket module's own signature
        self.unsent = memoryview(b"")
        self.answer = b""
        self.due_s = 0.0

    def send(self) -> bool:
        """Send what is unsent as far as there is room; whether all of it is sent."""
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return False
        return not self.unsent


def main() -> None:
    """Send, and print what was seen."""
    sending = Sending(**json.loads(sys.argv[1]))
    requests = make_requests(sending)
    connections = [Connection(sending.address) for _ in range(sending.connections)]
    cpu_s, started_s = time.process_time(), time.perf_counter()
    waits_s = send_all(connections, requests, sending.rate)
    seen = {"wall_s": time.perf_counter() - started_s, "cpu_s": time.process_time() - cpu_s}
    print(json.dumps({**seen, "waits_s": waits_s}))


def make_requests(sending: Sending) -> deque[bytes]:
    """Whole requests, each a delivery of its own."""
    corpus = Corpus(**sending.corpus)
    authorization = base64.b64encode(f"shop:{sending.key}".encode()).decode()
    requests: deque[bytes] = deque()
    stop = sending.start + sending.count
    for number, (body, frames) in enumerate(frames_of(corpus, sending.start, stop, sending.frames)):
        head = HEAD.format(
            authorization=authorization, frames=frames, name=f"{sending.start}-{number}", size=len(body)
        )
        requests.append(head.encode() + body)
    return requests


def send_all(connections: list[Connection], requests: deque[bytes], rate: float) -> list[float]:
    """All requests, every connection busy or waiting for its turn; how long each waited for its answer."""
    waits_s: list[float] = []
    polling = select.epoll()
    by_number = {connection.socket.fileno(): connection for connection in connections}
    gap_s = 1 / rate if rate else 0.0
    next_due_s = time.perf_counter()
    paused = deque(connections)
    for number in by_number:
        polling.register(number, select.EPOLLIN)
    busy = 0
    while requests or busy:
        while requests and paused and (not rate or next_due_s <= time.perf_counter()):
            connection = paused.popleft()
            # A delivery waits from when it was due: one that finds all connections busy has waited, too.
            connection.due_s = next_due_s if rate else time.perf_counter()
            next_due_s += gap_s
            busy += 1
            connection.unsent = memoryview(requests.popleft())
            if not connection.send():
                polling.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        until_due_s = next_due_s - time.perf_counter() if rate and requests and paused else -1.0
        for number, event in polling.poll(until_due_s if until_due_s > 0 or not rate else 0.001):
            connection = by_number[number]
            if event & select.EPOLLOUT and connection.send():
                polling.modify(number, select.EPOLLIN)
            if event & select.EPOLLIN and is_answered(connection):
                waits_s.append(time.perf_counter() - connection.due_s)
                paused.append(connection)
                busy -= 1
    return waits_s


def is_answered(connection: Connection) -> bool:
    """Whether the answer is there; one that is no 2xx ends the run."""
    received = connection.socket.recv(READ_SIZE_BYTES)
    connection.answer += received
    if not received or not connection.answer.startswith(ACCEPTED[: len(connection.answer)]):
        sys.exit(f"a delivery was not accepted: {connection.answer[:500]!r}")
    if not connection.answer.endswith(END_OF_ANSWER):
        return False
    connection.answer = b""
    return True


if __name__ == "__main__":
    main()
