"""Three rooms speak Logplex's framing: the shipper and the sandbox write it, the drain reads it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.clients.framing import frame
from logdrain.drain.frames import split_frames
from logdrain.drain.messages import read_message
from logdrain.model.events import Message
from logdrain.sandbox.logplex import LogplexMessage, encode_body

NOW = datetime(2012, 3, 1, 0, 12, 34, 567890, tzinfo=UTC)
NOW_MS = 1330560754567


def shipped(lines: Sequence[bytes]) -> bytes:
    return b"".join(frame(NOW, "app", "web.1", line) for line in lines)


def from_logplex(lines: Sequence[bytes]) -> bytes:
    return encode_body([LogplexMessage(NOW, line) for line in lines])


def read(body: bytes) -> list[Message | None]:
    frames = list(split_frames(body))
    assert not any(found.junk or found.resync for found in frames)
    return [read_message(found) for found in frames]


lines = st.lists(st.binary(max_size=120).map(lambda line: line.replace(b"\n", b"")), max_size=10)


@pytest.mark.parametrize("write", [shipped, from_logplex])
@given(lines=lines)
def test_what_is_written_is_read(write: Callable[[Sequence[bytes]], bytes], lines: list[bytes]) -> None:
    messages = read(write(lines))
    assert [message and (message.app, message.proc, message.time_ms) for message in messages] == [
        ("app", "web.1", NOW_MS)
    ] * len(lines)
    # A second dash before a tag is the sender's, not the line's.
    expected = [line[2:] if line.startswith(b"- @[") else line for line in lines]
    assert [message.payload for message in messages if message] == expected
