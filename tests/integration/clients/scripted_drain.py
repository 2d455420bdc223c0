"""A drain on 127.0.0.1 that does what a test tells it, request by request, and answers 204 after that."""

import threading
from collections import deque
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self

WITHIN_S = 60.0  # what should happen happens sooner


class Request(NamedTuple):
    """A POST as it came."""

    path: str
    headers: Message
    body: bytes
    client_port: int

    @property
    def id(self) -> str:
        return self.headers["Logplex-Frame-Id"]

    @property
    def lines(self) -> list[bytes]:
        """Messages of the frames, found by their counts alone."""
        lines, body = [], self.body
        while body:
            count, _, rest = body.partition(b" ")
            lines.append(rest[: int(count)].removesuffix(b"\n").split(b" ", 6)[6])
            body = rest[int(count) :]
        return lines


class Exchange:
    """One request in the hands of its reaction."""

    def __init__(self, drain: "ScriptedDrain", handler: BaseHTTPRequestHandler) -> None:
        self.drain = drain
        self._handler = handler

    def read(self) -> Request:
        """Read the whole request and keep it."""
        handler = self._handler
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        request = Request(handler.path, handler.headers, body, handler.client_address[1])
        self.drain.keep(request)
        return request

    def answer(self, status: int, **headers: str) -> None:
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.send_header("Content-Length", "0")
        self._handler.end_headers()

    def hang_up(self) -> None:
        self._handler.close_connection = True


Reaction = Callable[[Exchange], None]


def answer(status: int, **headers: str) -> Reaction:
    """Read all, answer; `Retry_After="7"` is a header."""

    def react(exchange: Exchange) -> None:
        exchange.read()
        exchange.answer(status, **headers)

    return react


def hang_up(exchange: Exchange) -> None:
    """Read all, close without an answer."""
    exchange.read()
    exchange.hang_up()


def answer_and_hang_up(exchange: Exchange) -> None:
    """Answer, and close without having said so."""
    exchange.read()
    exchange.answer(204)
    exchange.hang_up()


def refuse_unread(exchange: Exchange) -> None:
    """413 before the body has been read."""
    exchange.answer(413)
    exchange.hang_up()


def hold(exchange: Exchange) -> None:
    """Read all, answer 204 when the drain is released."""
    exchange.read()
    exchange.drain.released.wait()
    exchange.answer(204)


class ScriptedDrain:
    """Reacts as told; `always` instead of 204 once the script is over."""

    def __init__(self, *script: Reaction, always: Reaction | None = None) -> None:
        self.requests: list[Request] = []
        self.released = threading.Event()
        self._script = deque(script)
        self._always = always or answer(204)
        self._changed = threading.Condition()
        drain = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                drain.react(Exchange(drain, self))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://shop:KEY@127.0.0.1:{self._server.server_port}/logs"

    @property
    def lines(self) -> list[bytes]:
        """Messages of all requests in order of arrival."""
        return [line for request in self.requests for line in request.lines]

    def react(self, exchange: Exchange) -> None:
        with self._changed:
            reaction = self._script.popleft() if self._script else self._always
        reaction(exchange)

    def keep(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def wait_for_requests(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= number, WITHIN_S)
