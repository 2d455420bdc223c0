"""A segment's octets: a line that names the format, then entries, each whole or recognisably not.

An entry is a header (magic, the segment's key, two lengths, two checksums) and a payload (the delivery's
names as JSON, then its body). The header has a checksum of its own: what a crash cut short, and so was never
acknowledged, is told from what was damaged later. docs/reference/spool.md has the layout.

The key is random per segment. A body may hold anything, also octets that look like an entry; without the key
they are none, wherever the search for the next sound entry begins.

Octets are read through a function, so that a segment of any size takes little memory.
"""

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

from logdrain.model.events import Content, Delivery
from logdrain.model.spool import Spooled

ReadAt = Callable[[int, int], bytes]
"""(offset, size) -> so many octets from there, fewer at the end."""

KEY_SIZE = 8
FORMAT_VERSION = 1

_FIRST_WORD = b"logdrain-spool "
_FIRST_LINE = re.compile(_FIRST_WORD + rb"(\d{3}) ([0-9a-f]{16}) ([0-9a-f]{8})\n")
FIRST_LINE_SIZE = 45

_MAGIC = b"\xf5LD\xfa"  # in no UTF-8 text, so rarely in a body
_HEADER = struct.Struct(">4s8sIII")
_CHECKSUM = struct.Struct(">I")
HEADER_SIZE = _HEADER.size + _CHECKSUM.size
_NAMES = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

DAMAGED_SIZE_MAX_BYTES = 8 * 1024 * 1024
_CHUNK_SIZE = 1024 * 1024


class Foreign(Enum):
    """The first line is sound, and of a format that this program does not know."""

    FORMAT = "format"


class FoundSegment(NamedTuple):
    """What stands in the half-open range [start, end) of a segment; no delivery where it is damaged."""

    start: int
    end: int
    spooled: Spooled | None


class SegmentSummary(NamedTuple):
    """How much of a segment counts.

    Attributes:
        end: Where its last entry ends; from there on nothing was ever acknowledged.
        entry_count: Damaged ones included.
    """

    end: int
    entry_count: int


class _Header(NamedTuple):
    names_size: int
    body_size: int
    checksum: int

    @property
    def entry_size(self) -> int:
        return HEADER_SIZE + self.names_size + self.body_size


def first_line(key: bytes) -> bytes:
    """What a new segment begins with. The shape of this line is the same in all format versions."""
    start = _FIRST_WORD + b"%03d %s " % (FORMAT_VERSION, key.hex().encode())
    return start + b"%08x\n" % zlib.crc32(start)


def read_first_line(octets: bytes) -> bytes | Foreign | None:
    """The segment's key, or that its format is unknown, or None where the line is damaged."""
    match = _FIRST_LINE.fullmatch(octets[:FIRST_LINE_SIZE])
    if match is None or int(match[3], 16) != zlib.crc32(octets[: match.start(3)]):
        return None
    return bytes.fromhex(match[2].decode()) if int(match[1]) == FORMAT_VERSION else Foreign.FORMAT


def encode(spooled: Spooled, key: bytes) -> bytes:
    """One entry; the same size under every key."""
    # Lone surrogates: the request's headers may hold octets that are no UTF-8.
    names = _NAMES.encode([*_names(spooled.delivery), spooled.problem]).encode("utf-8", "surrogatepass")
    checksum = zlib.crc32(spooled.body, zlib.crc32(names))
    header = _HEADER.pack(_MAGIC, key, len(names), len(spooled.body), checksum)
    return b"".join((header, _CHECKSUM.pack(zlib.crc32(header)), names, spooled.body))


def _names(delivery: Delivery) -> Iterable[object]:
    """What an entry says of a delivery; of frames no more than programs of before items can read."""
    return delivery if delivery.content != Content.FRAMES else delivery[: Delivery._fields.index("content")]


def survey(read_at: ReadAt, size: int, key: bytes | None) -> SegmentSummary:
    """Look through a segment that an earlier process left.

    A torn tail stands right behind a sound entry, or at the start. Everything else that cannot be read counts
    as damaged: it may have been acknowledged.

    Args:
        read_at: The segment's octets.
        size: How many there are.
        key: The segment's, or None where its first line is damaged.
    """
    offset, count, is_behind_sound = entries_start(key), 0, True
    while offset < size:
        found = find(read_at, offset, size, key)
        if found.spooled is None and is_behind_sound and _is_torn(read_at, offset, size, key):
            break
        offset, count, is_behind_sound = found.end, count + 1, found.spooled is not None
    return SegmentSummary(offset, count)


def entries_start(key: bytes | None) -> int:
    """Where the first entry begins; a first line that is damaged is part of a damaged entry."""
    return 0 if key is None else FIRST_LINE_SIZE


def find(read_at: ReadAt, offset: int, end: int, key: bytes | None) -> FoundSegment:
    """The entry at an offset below `end`, or the damaged octets up to the next sound one.

    Damaged octets come in pieces: the next one begins where the last one ended.
    """
    sound = _find_sound(read_at, offset, end, key)
    if sound is not None:
        return sound
    header = _read_header(read_at, offset, end, key)
    if header is not None:
        next_offset = offset + header.entry_size
        # Only the payload is damaged, and nothing has moved: the next entry is where it should be.
        if next_offset == end or _read_header(read_at, next_offset, end, key) is not None:
            return FoundSegment(offset, next_offset, None)
    return FoundSegment(offset, _find_next(read_at, offset, end, key), None)


def _find_next(read_at: ReadAt, offset: int, end: int, key: bytes | None) -> int:
    """Where the next sound entry behind `offset` begins, or how far the search went."""
    stop = min(offset + DAMAGED_SIZE_MAX_BYTES, end)
    start = offset + 1
    while start < stop:
        window = read_at(start, _CHUNK_SIZE + len(_MAGIC) - 1)
        place = window.find(_MAGIC)
        while place >= 0 and start + place < stop:
            if _find_sound(read_at, start + place, end, key) is not None:
                return start + place
            place = window.find(_MAGIC, place + 1)
        start += _CHUNK_SIZE
    return stop


def _find_sound(read_at: ReadAt, offset: int, end: int, key: bytes | None) -> FoundSegment | None:
    header = _read_header(read_at, offset, end, key)
    if header is None or offset + header.entry_size > end:
        return None
    payload = read_at(offset + HEADER_SIZE, header.names_size + header.body_size)
    if zlib.crc32(payload) != header.checksum:
        return None
    try:
        *names, problem = json.loads(payload[: header.names_size].decode("utf-8", "surrogatepass"))
        spooled = Spooled(Delivery(*names), payload[header.names_size :], problem)
    except (ValueError, TypeError):
        return None
    return FoundSegment(offset, offset + header.entry_size, spooled)


def _read_header(read_at: ReadAt, offset: int, end: int, key: bytes | None) -> _Header | None:
    if offset + HEADER_SIZE > end:
        return None
    octets = read_at(offset, HEADER_SIZE)
    if len(octets) < HEADER_SIZE or not octets.startswith(_MAGIC):
        return None
    if _CHECKSUM.pack(zlib.crc32(octets[: _HEADER.size])) != octets[_HEADER.size :]:
        return None
    _, own_key, names_size, body_size, checksum = _HEADER.unpack(octets[: _HEADER.size])
    return _Header(names_size, body_size, checksum) if key in (None, own_key) else None


def _is_torn(read_at: ReadAt, offset: int, size: int, key: bytes | None) -> bool:
    """Whether the octets from here on are a write that a crash cut short."""
    if _is_zero(read_at, offset, size):  # the file had grown, its octets were not written yet
        return True
    header = _read_header(read_at, offset, size, key)
    if header is not None:
        return offset + header.entry_size > size
    whole_size, start = (HEADER_SIZE, _MAGIC + (key or b"")) if offset else (FIRST_LINE_SIZE, _FIRST_WORD)
    rest = read_at(offset, len(start))
    return size - offset < whole_size and start.startswith(rest)


def _is_zero(read_at: ReadAt, offset: int, size: int) -> bool:
    chunks = (read_at(start, min(_CHUNK_SIZE, size - start)) for start in range(offset, size, _CHUNK_SIZE))
    return not any(chunk.strip(b"\0") for chunk in chunks)
