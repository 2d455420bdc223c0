"""A frame's octets -> a message: Logplex's syslog header, which RFC 5424 parsers reject.

`<PRI>VERSION TIME HOST APP PROCID MSGID MSG`: there is one dash (MSGID) and no structured data,
so text that starts with `[` is text. log-shuttle writes a second dash before every message, also before each
piece of a line; relays write real structured data. They are told from text by a tag behind them, or by the
size of the piece: Logplex's has 10,000 octets with them, the others' without.
"""

import re

from logdrain.drain.times import text_time_ms
from logdrain.model.events import Frame, LineKind, Message

PIECE_SIZE_BYTES = 10_000
"""Of what a sender cuts a line into; it may cut inside a UTF-8 character."""

_FIELD_SIZE_MAX_BYTES = 255  # RFC 5424 6.2.4 gives HOSTNAME as much, and the others less
_HEADER = re.compile(rb"<(\d{1,3})>\d{1,3} (\S++) (\S++) (\S++) (\S++) \S++(?: (.*))?\Z", re.DOTALL)
_STRUCTURED_DATA = re.compile(rb"(?:-|(?:\[(?:[^\]\\]|\\.)*+\])+) ", re.DOTALL)  # RFC 5424 6.3; `-` is none

_MAY_BE_STRUCTURED = (b"-", b"[")

# What Heroku's own processes call themselves where APP is `app`.
_PLATFORM_PROC = re.compile(r"(?:heroku-.*|postgres(?:\.\d+)?|api)\Z")
# L10, L12, L13: how senders say that they lost lines. L10 names no drain, or `drain 'd.…' dropped N`.
_LOSS = re.compile(
    rb"(?:- )?Error (?P<code>L1[023])\b[^:]*:"
    rb".*?(?:dropped (?P<dropped>\d{1,15}) messages?|\b(?P<lost>\d{1,15}) messages? (?:dropped|lost))"
)


def read_message(frame: Frame) -> Message | None:
    """Parse a frame's header; None where there is none to read.

    A message whose time cannot be read has `time_ms` None: only an event needs the time.
    """
    ended = frame.data.endswith(b"\n")
    header = _HEADER.match(frame.data[:-1] if ended else frame.data)
    if header is None:
        return None
    priority, time, host, app, proc, payload = header.groups(b"")
    structured_data = b""
    if payload[:1] in _MAY_BE_STRUCTURED:
        structured_data, payload = _split_structured_data(payload, ended=ended)
    return Message(
        position=frame.position,
        priority=int(priority),
        time_ms=text_time_ms(time.decode()) if time.isascii() else None,
        host=_text(host),
        app=_text(app),
        proc=_text(proc),
        payload=payload,
        ended=ended,
        structured_data=structured_data,
    )


def _split_structured_data(payload: bytes, *, ended: bool) -> tuple[bytes, bytes]:
    """Structured data and the text behind it; none where it may as well be text."""
    text = without_structured_data(payload)
    if not ended and PIECE_SIZE_BYTES in (len(payload), len(text)):
        is_structured = len(text) == PIECE_SIZE_BYTES
    else:
        is_structured = b"@[" in text
    return (payload[: len(payload) - len(text)], text) if is_structured else (b"", payload)


def without_structured_data(payload: bytes) -> bytes:
    """What follows structured data, or the dash that stands for none, in a piece whose sender writes it."""
    found = _STRUCTURED_DATA.match(payload)
    return payload[found.end() :] if found else payload


def kind_of(message: Message) -> LineKind:
    """APP, PLATFORM or LOSS, by who printed it; priorities differ between years and say nothing."""
    if not _is_platform(message):
        return LineKind.APP
    return LineKind.LOSS if losses(message) else LineKind.PLATFORM


def _is_platform(message: Message) -> bool:
    """Whether the platform printed this, not the application.

    Anything that does not call itself the platform is the application's: log-shuttle, for one,
    writes APP and PROCID of its own.
    """
    if "heroku" in (message.app, message.host):
        return True
    return message.app == "app" and _PLATFORM_PROC.match(message.proc) is not None


def losses(message: Message) -> tuple[str, int] | None:
    """(code, lines lost) where this line says that the sender dropped lines."""
    found = _LOSS.match(message.payload)
    if found is None:
        return None
    return found["code"].decode(), int(found["dropped"] or found["lost"])


def _text(raw: bytes) -> str:
    """A header field; what is longer than a name is cut, so that it can always be stored."""
    return raw[:_FIELD_SIZE_MAX_BYTES].decode("utf-8", "replace")
