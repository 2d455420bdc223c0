"""The frame reader again, octet by octet and without a pattern, straight from the words of ADR 1.

Slow and obvious on purpose: the fast one must agree with it on every body.
"""

from typing import NamedTuple

from logdrain.model.events import Frame

_DIGITS = frozenset(b"0123456789")
_SPACES = frozenset(b" \t\n\r\f\v")
_COUNT_DIGITS_MAX = 8
_NUMBER_DIGITS_MAX = 3
_GAP_OCTETS_MAX = 64
_YEAR_DIGITS = 4


class _Head(NamedTuple):
    """`<count> SP` with a priority behind it: where the message starts, and how many octets it says."""

    start: int
    octets: int


def split_frames_slowly(body: bytes) -> list[Frame]:
    """See `drain.frames.split_frames`."""
    frames: list[Frame] = []
    at = _after_spaces(body, 0)
    while at < len(body):
        head = _head(body, at)
        if head is None:
            end = _next_start(body, at + 1)
            frames.append(Frame(len(frames), body[at:end].rstrip(), resync=False, junk=True))
        else:
            end, resync = _end(body, head)
            digits = body[at : head.start - 1]
            frames.append(
                Frame(len(frames), body[head.start : end], resync=resync, junk=False, digits=digits)
            )
        at = _after_spaces(body, end)
    return frames


def _end(body: bytes, head: _Head) -> tuple[int, bool]:
    """Where a frame ends, and whether its count was wrong."""
    counted = head.start + head.octets
    # A count is believed where it lands on a boundary …
    if _ends_here(body, counted):
        newline_follows = counted < len(body) and body[counted] == ord("\n")
        return counted + newline_follows, False
    # … with one octet of grace for a newline that was counted and lost.
    if head.octets > 1 and _ends_here(body, counted - 1):
        return counted - 1, False
    # One that lands elsewhere is believed if the octet before is a newline.
    if head.octets > 0 and counted <= len(body) and body[counted - 1] == ord("\n"):
        return counted, False
    # Otherwise the frame ends before the next thing that looks like a frame.
    return _next_start(body, head.start + 1), True


def _ends_here(body: bytes, at: int) -> bool:
    if not _is_boundary(body, at):
        return False
    if at == len(body) or body[at - 1] not in _DIGITS or body[at] not in _DIGITS:
        return True
    # Digits on both sides: the next count must be right as well.
    following = _head(body, at)
    if following is None:
        return False
    end = following.start + following.octets
    return end <= len(body) and (_is_boundary(body, end) or _is_boundary(body, end - 1))


def _is_boundary(body: bytes, at: int) -> bool:
    """The end of the body, or the start of what looks like a frame, behind a little space."""
    if at > len(body):
        return False
    spaces = 0
    while spaces < _GAP_OCTETS_MAX and at < len(body) and body[at] in _SPACES:
        at += 1
        spaces += 1
    return at == len(body) or _looks_like_frame(body, at) is not None


def _looks_like_frame(body: bytes, at: int) -> int | None:
    """`<count> SP <PRI>VERSION SP`: where the time starts."""
    head = _head(body, at)
    if head is None:
        return None
    version = body.index(b">", head.start) + 1
    space = _after_digits(body, version, _NUMBER_DIGITS_MAX)
    return space + 1 if space > version and body[space : space + 1] == b" " else None


def _next_start(body: bytes, at: int) -> int:
    """The next frame with a count, a priority, a version and a year; the end of the body if there is none."""
    for start in range(at, len(body)):
        if body[start] not in _DIGITS or body[start - 1] in _DIGITS:
            continue
        year = _looks_like_frame(body, start)
        if year is None or _after_digits(body, year, _YEAR_DIGITS) != year + _YEAR_DIGITS:
            continue
        if body[year + _YEAR_DIGITS : year + _YEAR_DIGITS + 1] == b"-":
            return start
    return len(body)


def _head(body: bytes, at: int) -> _Head | None:
    space = _after_digits(body, at, _COUNT_DIGITS_MAX)
    if space == at or body[space : space + 2] != b" <":
        return None
    close = _after_digits(body, space + 2, _NUMBER_DIGITS_MAX)
    if close == space + 2 or body[close : close + 1] != b">":
        return None
    return _Head(space + 1, int(body[at:space]))


def _after_digits(body: bytes, at: int, digits_max: int) -> int:
    end = at
    while end < len(body) and end - at < digits_max and body[end] in _DIGITS:
        end += 1
    return end


def _after_spaces(body: bytes, at: int) -> int:
    while at < len(body) and body[at] in _SPACES:
        at += 1
    return at
