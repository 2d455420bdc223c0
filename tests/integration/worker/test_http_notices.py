"""Notices over HTTP, to a server that answers as it is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from logdrain.model.notices import Notice
from logdrain.worker.http_notices import KEY_HEADER, HttpNotices

Received = tuple[str, str, dict[str, object]]


@contextmanager
def hook(status: int) -> Iterator[tuple[str, list[Received]]]:
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append((self.path, self.headers[KEY_HEADER], body))
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815  # the name is http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?token=secret", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "reason"), [(200, ""), (204, ""), (302, "HTTP 302"), (404, "HTTP 404"), (500, "HTTP 500")]
)
def test_an_answer_is_2xx_or_a_reason(status: int, reason: str) -> None:
    with hook(status) as (url, received):
        assert HttpNotices().send(Notice("key-1", url, {"event": "schedule_failed"}, 1)) == reason
    assert received == [("/hook?token=secret", "key-1", {"event": "schedule_failed", "key": "key-1"})]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/secret", "file:///etc/passwd"])
def test_nobody_there_is_a_reason_without_the_url(url: str) -> None:
    reason = HttpNotices(timeout_s=5).send(Notice("key-1", url, {}, 1))
    assert reason
    assert "secret" not in reason
