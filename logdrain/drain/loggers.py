"""What loggers make of a tagged line: they write a prefix before it, or put it into a field of a JSON log.

A prefix is taken for one only as a whole, from the start of the line to the tag. What may repeat a line that
was printed already is no event: `sent @[a.b] {…}` is a sentence, and tools that show logs print a time, as
`logdrain tail` does.
"""

import re
from typing import Any

import msgspec

from logdrain.drain.tags import TaggedLine, bare, read_tagged

PREFIX_SIZE_MAX_BYTES = 500
JSON_FIELDS = ("msg", "message", "event")
"""Where pino, lograge and structlog put what was logged."""

_LEVEL = rb"""(?:(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE|CONFIG|FINE|FINER|FINEST
    |ALERT|EMERGENCY|PANIC|SUCCESS|UNKNOWN|ANY)\b|(?:trace|debug|info|notice|warn|warning|error|fatal)(?=:))"""
_DATE = rb"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d?[-/\ ][A-Z][a-z]{2}[-/\ ]\d{4})"
_CLOCK = rb"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_STAMP = rb"(?:" + _DATE + rb"[T ]" + _CLOCK + rb"(?:\ ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)"
_BRACKETS = rb"\[[^][{}@]{1,200}\]"
_NAME = rb"[\w.$/\#<>-]++(?::[\w.$/\#<>-]++)*"
_GAP = rb"(?:[ \t]*[-|:,]{1,3}[ \t]*|[ \t]+)"

_PREFIX = re.compile(
    rb"""
    # Ruby's Logger, and Rails' tags behind it: "I, [2026-07-01T12:00:00.123456 #4]  INFO -- shop: [d1a8] "
    [A-Z],\ \[STAMP\ ?\#\d+\]\s+LEVEL\ --\ [^:@]{0,100}:\ (?:BRACKETS\ )*
    # Rails' tags, gunicorn, Celery: "[d1a8c0de] [PayJob] ", "[2026-07-01 12:00:00 +0000] [4] [INFO] "
    |(?:BRACKETS[ ]*)+
    # Python's logging as it is without a format: "INFO:root:"
    |LEVEL:NAME:\ ?
    # Python and Go with a time only: "2026-07-01 12:00:00,123 ", "2026/07/01 12:00:00 "
    |\d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d,\d{3}GAP|\d{4}/\d\d/\d\d\ CLOCK[ ]
    # A level, and what stands around it: "12:00:00.123 [main] INFO shop.Pay - ", "shop - INFO - "
    |(?:(?:STAMP|BRACKETS)GAP?|(?:CLOCK|\d+)[ \t]+)*(?:NAMEGAP)?
    (?:LEVEL|\[[ ]*(?i:LEVEL)[ ]*\])GAP
    (?:(?:STAMP|BRACKETS)GAP?|\d+GAP)*
    (?:in\ NAME:\ |NAME[ \t]+(?:--?|[:|])[ \t]+|(?P<word>NAME)(?::|(?:[ \t]+(?:BRACKETS|\d+))+)[ \t]+)?
    """.replace(b"LEVEL", _LEVEL)
    .replace(b"STAMP", _STAMP)
    .replace(b"CLOCK", _CLOCK)
    .replace(b"BRACKETS", _BRACKETS)
    .replace(b"NAME", _NAME)
    .replace(b"GAP", _GAP),
    re.VERBOSE,
)
# A word behind a level may be what was said: "INFO sent: ". It is a name if it looks like one, or has a date.
_CLEAR_NAME = re.compile(rb"[._$:/\#\d]|[a-z][A-Z]|root\Z")
_DATED = re.compile(_STAMP)


def may_start_event(line: bytes) -> bool:
    """Whether a line begins as an event does: with a tag, a logger's prefix and a tag, or as a JSON log."""
    if b"@[" not in line:
        return False
    line = bare(line)
    return line.startswith((b"@[", b"{")) or _tag_behind_prefix(line) is not None


def read_logged(line: bytes) -> TaggedLine | None:
    """The tagged line that a logger wrote in its own way; None where it is none of these ways.

    Args:
        line: Made bare, and not itself tagged.
    """
    if line.startswith(b"{"):
        return _in_json(line)
    at = _tag_behind_prefix(line)
    return None if at is None else read_tagged(line[at:])


def _tag_behind_prefix(line: bytes) -> int | None:
    at = line.find(b"@[", 0, PREFIX_SIZE_MAX_BYTES)
    found = _PREFIX.fullmatch(line, 0, at) if at > 0 else None
    if found is None:
        return None
    word = found["word"]
    return at if word is None or _CLEAR_NAME.search(word) or _DATED.search(line, 0, at) else None


def _in_json(line: bytes) -> TaggedLine | None:
    try:
        log: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for name in JSON_FIELDS:
        text = log.get(name)
        if isinstance(text, str) and (tagged := read_tagged(bare(text.encode()))):
            return tagged
    return None
