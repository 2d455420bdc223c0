"""A frame's octets -> a message: Logplex's syslog header, which RFC 5424 parsers reject.

`<PRI>VERSION TIME HOST APP PROCID MSGID MSG`: there is one dash (MSGID) and no structured data,
so text that starts with `[` is text. log-shuttle may write a second dash, relays real structured data:
they are told from text by the tag that follows them.
"""

import re

from logdrain.drain.times import text_time_ms
from logdrain.model.events import Frame, LineKind, Message

_FIELD_SIZE_MAX_BYTES = 255  # RFC 5424 6.2.4 gives HOSTNAME as much, and the others less
_HEADER = re.compile(
    rb"<(\d{1,3})>\d{1,3} (\S++) (\S++) (\S++) (\S++) \S++(?: (?:(?:-|(?:\[[^\]]*\])+) (?=@\[))?(.*))?\Z",
    re.DOTALL,
)

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
    priority, time, host, app, proc, payload = header.groups()
    return Message(
        position=frame.position,
        priority=int(priority),
        time_ms=text_time_ms(time.decode()) if time.isascii() else None,
        host=_text(host),
        app=_text(app),
        proc=_text(proc),
        payload=payload or b"",
        ended=ended,
    )


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
