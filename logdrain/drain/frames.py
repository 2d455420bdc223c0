r"""A body is octet-counted frames: `<count> SP <message>` (RFC 6587 3.4.1, as Logplex writes it).

The count is of octets and usually includes the message's final newline; some messages have none, and the
next frame follows at once, so only counting finds it. Counts that are wrong happen too (bodies edited on
the way, senders that forget the newline), so a count is believed when it lands where a frame may end,
and otherwise the next thing that looks like the start of a frame ends it.
"""

import re
from collections.abc import Iterator

from logdrain.model.events import Frame

_HEAD = re.compile(rb"(\d{1,8}) (?=<\d{1,3}>)")
# Bounded: looked for at every count, it must not walk far.
_BOUNDARY = re.compile(rb"\s{0,64}(?:\Z|\d{1,8} <\d{1,3}>\d{1,3} )")
# Stricter than _HEAD, for the hunt through a message's text: digits that look like a count are common.
_NEXT_HEAD = re.compile(rb"(?<!\d)\d{1,8} <\d{1,3}>\d{1,3} \d{4}-")
_NEXT_HEAD_SIZE_MAX_BYTES = 23
_HUNT_SIZE_BYTES = 256 * 1024
_SPACE = re.compile(rb"\s*")


def split_frames(body: bytes) -> Iterator[Frame]:
    """Cut a body into frames and junk; every octet is in one of them or is space between them.

    Args:
        body: A decoded request body, any bytes.

    Returns:
        Frames in order, one by one: a body may have millions. `position` counts frames and junk together.
        An empty body has none.
    """
    position = 0
    at = skip_space(body, 0)
    while at < len(body):
        frame, end = frame_at(body, at, position)
        yield frame
        position += 1
        at = skip_space(body, end)


def frame_at(body: bytes, at: int, position: int) -> tuple[Frame, int]:
    """The frame or junk that begins at an octet that is no space, and where it ends."""
    head = _HEAD.match(body, at)
    if head is None:
        end = _next_head(body, at + 1)
        return Frame(position, body[at:end].rstrip(), resync=False, junk=True), end
    end, resync = _frame_end(body, head.end(), int(head[1]))
    return Frame(position, body[head.end() : end], resync=resync, junk=False, digits=head[1]), end


def _frame_end(body: bytes, start: int, count: int) -> tuple[int, bool]:
    end = start + count
    if _lands(body, end):
        # A newline that was not counted belongs to the frame it ends.
        return (end + 1 if body[end : end + 1] == b"\n" else end), False
    if count > 1 and _lands(body, end - 1):
        return end - 1, False  # counted, but lost on the way
    if count and end <= len(body) and body[end - 1 : end] == b"\n":
        return end, False  # messages have no newline but the last octet: what follows is junk
    return _next_head(body, start + 1), True


def _lands(body: bytes, end: int) -> bool:
    """Whether a frame may end here: at the end of the body or where a frame starts."""
    if not _BOUNDARY.match(body, end) or end > len(body):
        return False
    if not (body[end - 1 : end].isdigit() and body[end : end + 1].isdigit()):
        return True
    # A digit on both sides: a message that ends in a digit, or the middle of the next count?
    # In the first case the count that starts here is right, too.
    head = _HEAD.match(body, end)
    if head is None:
        return False
    next_end = head.end() + int(head[1])
    return next_end <= len(body) and (
        _BOUNDARY.match(body, next_end) is not None or _BOUNDARY.match(body, next_end - 1) is not None
    )


def _next_head(body: bytes, start: int) -> int:
    # Part by part: a search does not let other threads run.
    for at in range(start, len(body), _HUNT_SIZE_BYTES):
        found = _NEXT_HEAD.search(body, at, at + _HUNT_SIZE_BYTES + _NEXT_HEAD_SIZE_MAX_BYTES)
        if found:
            return found.start()
    return len(body)


def skip_space(body: bytes, at: int) -> int:
    """Where the next octet is that is no space, or the end."""
    found = _SPACE.match(body, at)
    return found.end() if found else at
