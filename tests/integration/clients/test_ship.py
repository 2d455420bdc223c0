import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.clients.scripted_drain import WITHIN_S, ScriptedDrain, answer, hold

COMMAND = [sys.executable, "-m", "logdrain", "ship"]
WORDS = b'@[production.pay] {"price":1}\n\n\xff\xfe not text\r\n  \nno newline at the end'


def environment(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "LOGDRAIN_URL"} | variables


def ship(*words: str, data: bytes = b"one\ntwo\n", **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words],
        input=data,
        capture_output=True,
        timeout=WITHIN_S,
        check=False,
        env=environment(**variables),
    )


class Pipe:
    """A running `logdrain ship` with open ends."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment(),
        )
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.stdin, self.stdout, self.stderr = self.process.stdin, self.process.stdout, self.process.stderr

    def print(self, data: bytes) -> None:
        self.stdin.write(data)

    def copied(self, size_bytes: int) -> bytes:
        """So many bytes of the copy, as soon as they are there."""
        data = b""
        while len(data) < size_bytes and (more := self.stdout.read(size_bytes - len(data))):
            data += more
        return data

    def exit_status(self) -> int:
        return self.process.wait(WITHIN_S)


@contextmanager
def pipe(*words: str) -> Iterator[Pipe]:
    running = Pipe(*words)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        for end in (running.stdin, running.stdout, running.stderr):
            end.close()


def test_every_byte_is_copied_and_every_line_delivered() -> None:
    with ScriptedDrain() as drain:
        done = ship("--url", drain.url, data=WORDS)

    assert (done.returncode, done.stdout) == (0, WORDS)
    assert drain.lines == WORDS.split(b"\n")
    assert done.stderr == b"logdrain: %d lines delivered\n" % len(drain.lines)


def test_many_lines_arrive_once_and_in_order() -> None:
    lines = [b"%d" % number for number in range(30_000)]
    with ScriptedDrain() as drain:
        done = ship("--url", drain.url, "--queue-lines", "700", data=b"".join(line + b"\n" for line in lines))

    assert done.returncode == 0
    assert drain.lines == lines
    assert max(len(request.lines) for request in drain.requests) == 500


def test_nothing_in_nothing_out() -> None:
    with ScriptedDrain() as drain:
        done = ship("--url", drain.url, data=b"")

    assert (done.returncode, done.stdout, drain.requests) == (0, b"", [])


def test_the_url_may_come_from_the_environment_and_fields_from_words() -> None:
    with ScriptedDrain() as drain:
        done = ship("--app", "shop", "--proc", "run.7", "--batch-lines", "1", LOGDRAIN_URL=drain.url)

    assert done.returncode == 0
    assert [b" host shop run.7 - " in request.body for request in drain.requests] == [True, True]


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["--url", "shop:KEY@host/logs"], b"the drain URL"),
        (["--url", "http://h/", "--app", "my shop"], b"app 'my shop'"),
        (["--url", "http://h/", "--batch-lines", "0"], b"--batch-lines"),
        (["--url", "http://h/", "--give-up-after", "soon"], b"--give-up-after"),
    ],
)
def test_words_that_are_off(words: list[str], about: bytes) -> None:
    done = ship(*words)

    assert done.returncode == 2
    assert about in done.stderr
    assert b"KEY" not in done.stderr


def test_lines_that_cannot_be_delivered_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    done = ship("--url", f"http://shop:KEY@127.0.0.1:{port}/logs", "--give-up-after", "0.01")

    assert (done.returncode, done.stdout) == (1, b"one\ntwo\n")
    *_, message, hint = done.stderr.decode().splitlines()
    assert message == (
        "logdrain: 2 lines of 2 could not be delivered: "
        f"http://127.0.0.1:{port}/logs cannot be reached: connection refused"
    )
    assert hint.startswith("hint: check the URL")
    assert b"KEY" not in done.stderr


def test_a_bad_key_ends_the_command_while_its_input_is_open() -> None:
    with ScriptedDrain(always=answer(401)) as drain, pipe("--url", drain.url) as shop:
        shop.print(b"one\n")

        assert shop.exit_status() == 1
        message, hint = shop.stderr.read().decode().splitlines()
    assert message.startswith("logdrain: 1 line of 1 could not be delivered: http://127.0.0.1:")
    assert message.endswith("/logs answered 401")
    assert hint == "hint: the password in the drain URL must be a key of scope drain"


def test_a_line_is_copied_at_once() -> None:
    with ScriptedDrain() as drain, pipe("--url", drain.url, "--batch-wait-ms", "60000") as shop:
        shop.print(b"one\n")
        assert shop.copied(4) == b"one\n"

        assert drain.requests == []
        shop.stdin.close()
        assert shop.exit_status() == 0
    assert drain.lines == [b"one"]


def test_lines_are_delivered_when_nobody_reads_the_copy() -> None:
    with ScriptedDrain() as drain, pipe("--url", drain.url) as shop:
        shop.stdout.close()
        shop.print(b"one\n")
        drain.wait_for_requests(1)
        shop.print(b"two\n")
        shop.stdin.close()

        assert shop.exit_status() == 0
        assert shop.stderr.read() == b"logdrain: 2 lines delivered\n"
    assert drain.lines == [b"one", b"two"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_read_is_delivered_before_a_signal_ends_it(number: signal.Signals) -> None:
    with ScriptedDrain() as drain, pipe("--url", drain.url, "--batch-wait-ms", "60000") as shop:
        shop.print(b"one\ntwo\nhalf a li")
        assert shop.copied(17) == b"one\ntwo\nhalf a li"
        shop.process.send_signal(number)

        assert shop.exit_status() == 0
    assert drain.lines == [b"one", b"two", b"half a li"]


def test_a_signal_that_costs_lines_shows_in_the_status() -> None:
    with (
        ScriptedDrain(always=answer(503)) as drain,
        pipe("--url", drain.url, "--give-up-after", "0.5") as shop,
    ):
        shop.print(b"one\n")
        drain.wait_for_requests(1)
        shop.process.terminate()

        assert shop.exit_status() == 1
        assert b"1 line of 1 could not be delivered" in shop.stderr.read()


def test_a_second_signal_ends_it_at_once() -> None:
    with ScriptedDrain(hold) as drain, pipe("--url", drain.url) as shop:
        shop.print(b"one\n")
        drain.wait_for_requests(1)
        while shop.process.poll() is None:
            shop.process.terminate()

        assert shop.exit_status() == -signal.SIGTERM


def test_an_input_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with ScriptedDrain() as drain, (tmp_path / "write-only").open("wb") as unreadable:
        done = subprocess.run(
            [*COMMAND, "--url", drain.url],
            stdin=unreadable,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )

    assert done.returncode == 1
    assert b"STDIN cannot be read any further" in done.stderr
