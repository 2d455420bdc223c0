from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.sandbox.logplex import PAYLOAD_LIMIT_BYTES, LogplexMessage, cut_long, encode_body, encode_frame

TIME = datetime(2012, 3, 1, 0, 12, 34, 567890, tzinfo=UTC)
MESSAGES = st.builds(
    LogplexMessage, time=st.just(TIME), text=st.binary(max_size=50), ends_in_newline=st.booleans()
)


def test_an_app_line() -> None:
    message = LogplexMessage(TIME, b'@[production.login] {"uid":123}')
    assert encode_frame(message) == (
        b'89 <190>1 2012-03-01T00:12:34.567890+00:00 host app web.1 - @[production.login] {"uid":123}\n'
    )


def test_a_notice_of_loss() -> None:
    message = LogplexMessage(
        TIME.replace(microsecond=0),
        b"Error L10 (output buffer overflow): 2 messages dropped since 2012-03-01T00:00:00+00:00.",
        app="heroku",
        proc="logplex",
        priority=172,
        ends_in_newline=False,
    )
    assert encode_frame(message) == (
        b"142 <172>1 2012-03-01T00:12:34+00:00 host heroku logplex - "
        b"Error L10 (output buffer overflow): 2 messages dropped since 2012-03-01T00:00:00+00:00."
    )


def test_times_are_written_in_utc() -> None:
    tokyo = LogplexMessage(TIME.astimezone(timezone(timedelta(hours=9))), b"x")
    assert encode_frame(tokyo) == encode_frame(LogplexMessage(TIME, b"x"))


@given(st.lists(MESSAGES, max_size=5))
def test_counts_lead_from_frame_to_frame(messages: list[LogplexMessage]) -> None:
    rest, texts = encode_body(messages), []
    while rest:
        count, _, rest = rest.partition(b" ")
        frame, rest = rest[: int(count)], rest[int(count) :]
        texts.append(frame.split(b" - ", 1)[1])
    assert texts == [message.text + b"\n" * message.ends_in_newline for message in messages]


@pytest.mark.parametrize(
    ("size_bytes", "pieces"),
    [
        (0, [0]),
        (1, [1]),
        (9_999, [9_999]),
        (10_000, [10_000]),
        (10_001, [10_000, 1]),
        (20_000, [10_000, 10_000]),
    ],
)
def test_long_lines_are_cut(size_bytes: int, pieces: list[int]) -> None:
    text = bytes(index % 251 for index in range(size_bytes))
    cut = list(cut_long(LogplexMessage(TIME, text)))
    assert [len(piece.text) for piece in cut] == pieces
    assert b"".join(piece.text for piece in cut) == text
    assert [piece.ends_in_newline for piece in cut] == [False] * (len(pieces) - 1) + [True]


def test_the_last_piece_of_a_line_without_newline_has_none_either() -> None:
    message = LogplexMessage(TIME, b"x" * (PAYLOAD_LIMIT_BYTES + 1), ends_in_newline=False)
    assert not any(piece.ends_in_newline for piece in cut_long(message))
