"""A server of `POST /v1/events` that answers as a script says and keeps what it took."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Reply(NamedTuple):
    status: int = 200
    rejected: tuple[dict[str, Any], ...] = ()
    ahead_s: float = 0.0


Script = Callable[[list[dict[str, Any]], int], Reply]


class EventsServer:
    """Attributes: `events` that were accepted, in order; `requests`, their headers and events."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.events: list[dict[str, Any]] = []
        self.requests: list[tuple[dict[str, str], list[dict[str, Any]]]] = []
        self.url = ""
        self.changed = threading.Condition()

    def keep(self, events: list[dict[str, Any]], reply: Reply) -> None:
        """Keep them before they are answered, each insert_id once: a client may die over the answer."""
        known = {rejection["insert_id"] for rejection in reply.rejected}
        with self.changed:
            known.update(event["insert_id"] for event in self.events)
            self.events += [event for event in events if event["insert_id"] not in known]
            self.changed.notify_all()

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait for a condition on what came; a test that waits for ever is ended by who runs it."""
        with self.changed:
            assert self.changed.wait_for(is_so, timeout=60)

    def names(self) -> list[Any]:
        return sorted(event["properties"]["n"] for event in self.events)


@contextmanager
def events_server(script: Script = lambda _events, _number: Reply()) -> Iterator[EventsServer]:
    server = EventsServer(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            events = json.loads(body)
            with server.changed:
                server.requests.append((dict(self.headers), events))
                number = len(server.requests)
            reply = server.script(events, number)
            answer = {
                "accepted": len(events) - len(reply.rejected),
                "rejected": list(reply.rejected),
                "server_time": int((time.time() + reply.ahead_s) * 1000),
            }
            server.keep(events if reply.status == 200 else [], reply)
            content = json.dumps(answer).encode()
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002  # the name of the parameter
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that is killed is part of the tests."""

    http_server = Server(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http_server.server_port}"
    thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http_server.shutdown()
        http_server.server_close()
        thread.join()
