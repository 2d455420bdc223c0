"""Logs are events with pairs: `time=… level=… event=… key=value`, one line each, on STDERR.

A line never starts with `@[`, so a drain that reads our own output never takes it for an event.
Secrets are not passed in; what looks like a URL with a password is masked all the same.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

_WORD = re.compile(r"[^ \t\n\r\f\v]+")
_NEEDS_QUOTES = re.compile(r"[\s\"=\\]|^$")


_is_silent = False


@contextmanager
def silence() -> Iterator[None]:
    """Write no lines in this block: for a command that tells all of it in its own words."""
    global _is_silent  # noqa: PLW0603  # one log, one switch
    _is_silent = True
    try:
        yield
    finally:
        _is_silent = False


def mask(text: str) -> str:
    """Replace the password of every URL in a text by `***`.

    In doubt too much: a password that is not percent-encoded may hold `/`, `@` or `:`, so whatever stands
    between the first colon of a URL and the last `@` of its word is left out. Linear in the text's length.
    """
    return _WORD.sub(_mask_word, text) if "://" in text and "@" in text else text


def printable(text: str) -> str:
    r"""The text for a terminal to show, not to obey: what is unprintable becomes `\x1b`; newlines stay.

    Controls, escape sequences and marks that turn the direction of writing come in with events, as values
    and as names of fields.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def format_pairs(pairs: dict[str, object]) -> str:
    """`key=value` pairs in order (logfmt); values are quoted where they need it."""
    return " ".join(f"{key}={_quote(_plain(value))}" for key, value in pairs.items() if value is not None)


def info(event: str, **pairs: object) -> None:
    """Write one line at level info."""
    _write("info", event, pairs)


def warning(event: str, **pairs: object) -> None:
    """Write one line at level warning."""
    _write("warning", event, pairs)


def error(event: str, **pairs: object) -> None:
    """Write one line at level error."""
    _write("error", event, pairs)


def _write(level: str, event: str, pairs: dict[str, object]) -> None:
    if _is_silent:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = format_pairs({"time": now, "level": level, "event": event, **pairs})
    # A log that nobody reads any more, or whose disk is full, is no reason to stop the work.
    with suppress(OSError, ValueError):
        # One write per line: lines of several processes on one STDERR do not mix.
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _mask_word(word: re.Match[str]) -> str:
    text = word[0]
    scheme = text.find("://")
    at = text.rfind("@")
    colon = text.find(":", scheme + len("://"), max(at, 0))
    return text if scheme < 0 or colon < 0 else f"{text[: colon + 1]}***{text[at:]}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    return mask(str(value))


def _quote(text: str) -> str:
    if text.isprintable() and not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in escaped) + '"'
