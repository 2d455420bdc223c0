"""The client against a server of the documented contract: each event once, whatever the answers."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logdrain import AsyncClient, Client
from logdrain.clients.event_connection import connection_to
from tests.integration.clients.events_server import EventsServer, Reply, events_server


@pytest.fixture
def server() -> Iterator[EventsServer]:
    with events_server() as server:
        yield server


def client_of(server: EventsServer, **options: Any) -> Client:
    return Client(server.url, write_key="secret", transport="http", **options)


def test_batches_carry_the_key_and_names_that_were_given_at_the_call(server: EventsServer) -> None:
    ld = client_of(server)
    before_ms = time.time() * 1000
    for number in range(250):
        ld.track("shop.pay", {"n": number, "text": "é" * 20}, user_id=7)
    assert ld.flush(60) == 0
    assert (ld.sent, ld.dropped) == (250, 0)
    assert [event["properties"]["n"] for event in server.events] == list(range(250))
    assert len({event["insert_id"] for event in server.events}) == 250
    assert all(before_ms - 1 <= event["time"] <= time.time() * 1000 for event in server.events)
    headers = server.requests[0][0]
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Encoding"] == "gzip"
    assert max(len(events) for _, events in server.requests) <= 100


def test_events_go_by_themselves(server: EventsServer) -> None:
    client_of(server).track("a.b", {"n": 1})
    server.wait_for(lambda: server.names() == [1])


def test_a_batch_that_is_turned_away_comes_again_the_same(server: EventsServer) -> None:
    server.script = lambda _events, number: Reply(503 if number < 3 else 200)
    ld = client_of(server)
    ld.track("a.b", {"n": 1})
    server.wait_for(lambda: server.names() == [1])
    assert [events for _, events in server.requests] == [server.events] * 3


def test_a_batch_that_is_too_large_goes_in_halves_and_what_never_fits_is_counted(
    server: EventsServer,
) -> None:
    server.script = lambda events, _: Reply(
        413 if len(events) > 1 or events[0]["properties"]["n"] == 3 else 200
    )
    ld = client_of(server)
    for number in range(5):
        ld.track("a.b", {"n": number})
    assert ld.flush(60) == 0
    assert server.names() == [0, 1, 2, 4]
    assert (ld.sent, ld.dropped) == (4, 1)


def test_a_wrong_clock_is_learnt_and_what_it_stamped_is_stamped_once_more(server: EventsServer) -> None:
    def script(events: list[dict[str, Any]], number: int) -> Reply:
        wrong = [event for event in events if number == 1 or event["properties"]["n"] == 9]
        rejected = tuple({"insert_id": event["insert_id"], "code": "bad_time"} for event in wrong)
        return Reply(rejected=rejected, ahead_s=-3 * 86_400)

    server.script = script
    ld = client_of(server)
    ld.track("a.b", {"n": 1})
    ld.track("a.b", {"n": 2}, time=time.time())  # the application's own time is not ours to change
    assert ld.flush(60) == 0
    ld.track("a.b", {"n": 3})
    ld.track("a.b", {"n": 9})
    assert ld.flush(60) == 0
    first, later = server.events
    assert (first["properties"], first["insert_id"]) == (
        {"clock_adjusted": True, "n": 1},
        server.requests[0][1][0]["insert_id"],
    )
    assert later["properties"] == {"n": 3}
    days_back = [(time.time() * 1000 - event["time"]) / 86_400_000 for event in (first, later)]
    assert all(2.9 < days < 3.1 for days in days_back)
    assert (ld.sent, ld.dropped) == (2, 2)


@pytest.mark.parametrize("status", [401, 404])
def test_events_wait_while_a_key_or_route_is_not_known_and_flush_tells_how_many(
    server: EventsServer, status: int
) -> None:
    is_known = threading.Event()
    server.script = lambda _events, _number: Reply(200 if is_known.is_set() else status)
    ld = client_of(server)
    ld.track("a.b", {"n": 1})
    ld.track("a.b", {"n": 2})
    assert ld.flush(0.2) == 2
    is_known.set()
    assert ld.flush(60) == 0
    assert server.names() == [1, 2]


def test_a_full_queue_drops_the_newest_counts_and_says_it_once(
    server: EventsServer, caplog: pytest.LogCaptureFixture
) -> None:
    is_back = threading.Event()
    server.script = lambda _events, _number: Reply(200 if is_back.is_set() else 503)
    ld = client_of(server, queue_events=10)
    for number in range(500):
        ld.track("a.b", {"n": number})
    left = ld.flush(0.1)
    assert left + ld.dropped == 500
    assert ld.dropped > 300
    assert sum("full" in record.message for record in caplog.records) == 1
    is_back.set()
    assert ld.flush(60) == 0
    assert len(server.events) == left


@pytest.mark.parametrize("url", ["", "ftp://x", "http://[", "http://h:secret"])
def test_a_url_that_names_no_server_is_said_and_stops_nobody(url: str) -> None:
    Client(url, write_key="k", transport="http")
    answer = connection_to(url, "k").post("/v1/events", b"[]")
    assert answer.status is None
    assert "LOGDRAIN_URL" in answer.reason
    assert "secret" not in answer.reason


async def test_the_client_of_asyncio_waits_without_holding_the_loop(server: EventsServer) -> None:
    async with AsyncClient(server.url, write_key="secret", transport="http") as ld:
        ld.identify(1, {"plan": "pro"})
        assert await ld.flush(60) == 0
    assert [event["event"] for event in server.events] == ["people.identify"]


def run_program(tmp_path: Path, server: EventsServer, program: str, *words: str) -> str:
    path = tmp_path / "program.py"
    path.write_text(program)
    environment = {**os.environ, "LOGDRAIN_URL": server.url, "LOGDRAIN_WRITE_KEY": "k"}
    environment.pop("DYNO", None)
    command = words or (sys.executable, str(path))
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_that_ends_at_once_loses_nothing(tmp_path: Path, server: EventsServer) -> None:
    run_program(
        tmp_path,
        server,
        "import logdrain\nld = logdrain.Client()\nfor n in range(300): ld.track('a.b', {'n': n})\n",
    )
    assert server.names() == list(range(300))


FORKS = """
import os, sys, threading, logdrain
ld = logdrain.Client()
for n in range(150): ld.track("a.b", {"n": n})
flushing = threading.Thread(target=ld.flush, args=(60,))
flushing.start()
children = []
for child in range(4):
    ld.track("a.b", {"n": 1000 + child})
    if (number := os.fork()) == 0:
        for n in range(20): ld.track("a.b", {"n": 2000 + 100 * child + n})
        sys.exit(0)
    children.append(number)
flushing.join()
assert [os.waitpid(number, 0)[1] for number in children] == [0] * 4
"""


def test_forks_in_the_middle_of_a_flush_lose_nothing_and_double_nothing(
    tmp_path: Path, server: EventsServer
) -> None:
    run_program(tmp_path, server, FORKS)
    expected = [*range(150), *range(1000, 1004), *(2000 + 100 * c + n for c in range(4) for n in range(20))]
    assert server.names() == expected


POOL = """
import multiprocessing, os, logdrain
ld = logdrain.Client()
ld.track("a.b", {"n": 0})
def work(n): ld.track("a.b", {"n": n})
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=work, args=(n,)) for n in range(1, 4)]
    for child in children: child.start()
    for child in children: child.join()
"""

CELERY = """
import os, logdrain
from celery import signals
ld = logdrain.Client()
ld.track("a.b", {"n": 0})
number = os.fork()
if number == 0:  # as celery's prefork pool does: no atexit
    ld.track("a.b", {"n": 1})
    signals.worker_process_shutdown.send(sender=None, pid=os.getpid(), exitcode=0)
    os._exit(0)
os.waitpid(number, 0)
"""


@pytest.mark.parametrize(
    ("program", "expected"), [(POOL, [0, 1, 2, 3]), (CELERY, [0, 1])], ids=["multiprocessing", "celery"]
)
def test_children_that_leave_without_atexit_lose_nothing(
    tmp_path: Path, server: EventsServer, program: str, expected: list[int]
) -> None:
    run_program(tmp_path, server, program)
    assert server.names() == expected


GUNICORN = """
import itertools, os, signal, logdrain
ld = logdrain.Client()
ld.track("a.b", {"n": 0, "pid": os.getpid()})
def application(environment, start_response):
    ld.track("a.b", {"n": 1, "pid": os.getpid()})
    os.kill(os.getppid(), signal.SIGTERM)
    start_response("200 OK", [("Content-Length", "0")])
    return []
def when_ready(server):
    pass
def post_worker_init(worker):
    application({}, lambda status, headers: None)
"""


def test_gunicorn_with_preload_sends_what_master_and_worker_record(
    tmp_path: Path, server: EventsServer
) -> None:
    words = ["--preload", "-w", "1", "-b", "127.0.0.1:0", "-c", "program.py", "--pid", "gunicorn.pid"]
    run_program(tmp_path, server, GUNICORN, sys.executable, "-m", "gunicorn", *words, "program:application")
    assert server.names() == [0, 1] or server.names() == [0, 0, 1]
    assert len({event["properties"]["pid"] for event in server.events}) == 2


LINES = """
import os, threading, logdrain
ld = logdrain.Client(transport="stdout")
def print_lines():
    for _ in range(20): ld.track("a.b", {"text": "x" * 30_000})
threads = [threading.Thread(target=print_lines) for _ in range(4)]
for thread in threads: thread.start()
if os.fork() == 0:
    ld.track("a.b", {"text": "child"})
    os._exit(0)
for thread in threads: thread.join()
os.wait()
"""


def test_long_lines_of_threads_do_not_mix(tmp_path: Path, server: EventsServer) -> None:
    lines = run_program(tmp_path, server, LINES).splitlines()
    whole = '@[a.b] {"text":"' + "x" * 30_000 + '"}'
    assert sorted(lines, key=len)[1:] == [whole] * 80


def test_a_defect_in_sending_loses_a_batch_and_not_the_thread(
    server: EventsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ld = client_of(server)
    with monkeypatch.context() as patch:
        patch.setattr("logdrain.clients.event_queue.body_of", lambda _: 1 / 0)
        ld.track("a.b", {"n": 1})
        assert ld.flush(60) == 0
    ld.track("a.b", {"n": 2})
    assert ld.flush(60) == 0
    assert (server.names(), ld.dropped) == ([2], 1)
    assert "ZeroDivisionError" in caplog.text
