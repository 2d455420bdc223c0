"""What must hold for any octets that reach the drain."""

import asyncio
import re
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, cast

import bson
from aiohttp import web

from logdrain.drain.frames import split_frames
from logdrain.drain.lines import Line
from logdrain.drain.loggers import may_start_event
from logdrain.drain.messages import kind_of, losses, read_message
from logdrain.drain.reading import ParsedDelivery, parse, read, to_event, unfinished
from logdrain.drain.tags import NAMESPACE_BYTES_MAX, bare, read_tagged
from logdrain.drain.times import TIME_MAX_MS
from logdrain.errors import BodyTooLarge
from logdrain.events.bson.documents import encode_quarantined
from logdrain.events.write.encoding import encode_events
from logdrain.memory_budget import MemoryBudget
from logdrain.model.events import (
    Batch,
    Delivery,
    DropReason,
    Event,
    Frame,
    LineKind,
    NearMiss,
    Origin,
    Quarantined,
)
from logdrain.web.server.body import UndecodableBody, read_body
from tests.fuzz.frames_slowly import split_frames_slowly
from tests.fuzz.lines_slowly import put_together_slowly

_DELIVERY = Delivery("shop", "one", "d.token", None)
_NAME = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_NAME_OCTETS_MAX = 3 * 255  # a cut field whose octets all became U+FFFD
_BODY_SIZE_MAX_BYTES = 4096
_ROOM_BYTES = 2**30
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


def frames(body: bytes) -> None:
    """Every octet is in a frame, in junk, in a count or is space; and the slow reader agrees."""
    found = list(split_frames(body))
    rest = body
    for frame in found:
        between, data, rest = rest.partition(frame.data)
        assert data == frame.data, "the frame is not in the body"
        assert not between.strip() or (not frame.junk and between.strip().isdigit()), "octets were left out"
    assert not rest.strip(), "octets were left out at the end"
    assert [frame.position for frame in found] == list(range(len(found)))
    assert found == split_frames_slowly(body), "the slow reader disagrees"


def message(octets: bytes) -> None:
    """A message has a payload that is the end of its frame, fields that can be stored, and one kind."""
    found = read_message(Frame(0, octets, resync=False, junk=False))
    if found is None:
        return
    text = octets[:-1] if found.ended else octets
    assert text.endswith(found.payload)
    assert found.time_ms is None or 0 <= found.time_ms <= TIME_MAX_MS
    assert all(len(name.encode()) <= _NAME_OCTETS_MAX for name in (found.host, found.app, found.proc))
    loss = losses(found)
    assert (kind_of(found) is LineKind.LOSS) <= (loss is not None)
    assert loss is None or 0 <= loss[1] < 2**53


def record(payload: bytes) -> None:
    """A line is an event that MongoDB can hold, a quarantine entry with all octets, nearly that, or text."""
    origin = Origin("shop", "app", "web.1", "")
    outcome = to_event(Line(origin, "one", 0, 1_330_560_754_567, payload, broken=False))
    if outcome is None:
        return
    assert b"@" in payload
    if isinstance(outcome, NearMiss):
        assert payload.startswith(outcome.raw)
        assert len(outcome.detail.splitlines()) == 1
        return
    assert may_start_event(payload)
    assert outcome.raw == payload
    _check_stored(outcome)


def reading(body: bytes) -> None:
    """Each frame has one kind; what is an event or in quarantine has all its octets; twice the same."""
    parsed = parse(body, _DELIVERY)
    kinds_of_frames = +Counter(parsed.kinds)
    found = read(parsed, _DELIVERY, [])
    assert found == read(parse(body, _DELIVERY), _DELIVERY, []), "a retry makes something else"
    assert sum(found.kinds.values()) == parsed.frames, "a frame has no kind, or two"
    assert kinds_of_frames <= found.kinds
    batch = found.batch
    assert len(batch.events) == found.kinds[LineKind.EVENT]
    ids = [event.id for event in batch.events] + [item.id for item in batch.quarantined]
    ids += [split.id for split in batch.splits]
    assert len(set(ids)) == len(ids), "two things have one id"
    for event in batch.events:
        _check_stored(event)
    for item in batch.quarantined:
        _check_stored(item)
    _check_octets(body, parse(body, _DELIVERY), batch)
    assert all(drain == "shop" for drain, *_ in unfinished(parsed, _DELIVERY))


def body(octets: bytes) -> None:
    """Decoding gives exactly what was compressed, within the bound, or keeps all; octet 0 picks a coding."""
    coding = ("gzip", "deflate", "x-gzip", "br", "", "identity")[octets[0] % 6] if octets else ""
    raw = octets[1:]
    decoded: bytes | UndecodableBody
    try:
        decoded = asyncio.run(_decoded(raw, coding))
    except BodyTooLarge:
        return
    except UndecodableBody as error:
        decoded = error
    if isinstance(decoded, UndecodableBody):
        assert decoded.raw == raw
        assert decoded.detail
        return
    assert len(decoded) <= _BODY_SIZE_MAX_BYTES
    assert decoded == raw if coding not in _WINDOWS else _is_decoded(raw, decoded, coding)


def _check_stored(item: Event | Quarantined) -> None:
    if isinstance(item, Event):
        assert _NAME.fullmatch(item.table.name)
        assert len(item.table.name) <= NAMESPACE_BYTES_MAX
        assert item.table.database != "system"
        assert 0 <= item.time_ms <= TIME_MAX_MS
        assert item.id[:6] == item.time_ms.to_bytes(6, "big")
        encoded = encode_events([item], len(item.raw))
        assert not encoded.quarantined
        [document] = encoded.tables[item.table.name].documents
        keys = bson.decode(document, bson.DEFAULT_CODEC_OPTIONS.with_options(datetime_conversion=1)).keys()
        assert keys - {"_id", "_origin", "time"} == item.record.keys()
        assert not item.record.keys() & {"_id", "_origin", "_time", "time"}
    else:
        assert item.detail
        assert len(item.detail.splitlines()) == 1
        [entry] = [bson.decode(part) for part in encode_quarantined(item, 0)]
        assert entry["raw"] == item.raw


def _check_octets(body: bytes, parsed: ParsedDelivery, batch: Batch) -> None:
    """Tagged lines and junk, octet by octet: nothing is in two places, nothing is nowhere."""
    slow = put_together_slowly(parsed.messages)
    lines = [event.raw for event in batch.events]
    lines += [item.raw for item in batch.quarantined[len(parsed.batch.quarantined) :]]
    meant = [text for _, text in slow.whole if (line := read_tagged(bare(text))) and line.text[:1] == b"{"]
    meant += [text for _, text in slow.broken if may_start_event(text)]
    assert Counter(meant) <= Counter(lines), "a record is nowhere"
    assert Counter(lines) <= Counter(text for _, text in (*slow.whole, *slow.broken)), "a line is made up"
    assert sorted((split.position, split.raw) for split in batch.splits) == slow.open
    unread = [frame for frame in split_frames(body) if frame.junk or read_message(frame) is None]
    pieces = {
        DropReason.JUNK: [frame.data for frame in unread if frame.junk],
        DropReason.BAD_HEADER: [b"%s %s" % (each.digits, each.data) for each in unread if not each.junk],
    }
    assert {item.reason: _octets([item.raw]) for item in parsed.batch.quarantined} == {
        reason: _octets(raws) for reason, raws in pieces.items() if raws
    }, "octets were left out of quarantine"


def _octets(pieces: list[bytes]) -> bytes:
    """One behind the other, without the newlines that may have come between."""
    return b"".join(pieces).replace(b"\n", b"")


async def _decoded(raw: bytes, coding: str) -> bytes:
    request = cast("web.Request", _Request(raw, coding))
    with MemoryBudget(_ROOM_BYTES, "full", lambda _: None).reservation() as room:
        return await read_body(request, _BODY_SIZE_MAX_BYTES, room)


class _Request:
    """As much of a request as reading its body needs."""

    def __init__(self, raw: bytes, coding: str) -> None:
        self.headers = {"Content-Encoding": coding}
        self.content_length = None
        self.content = self
        self._raw = raw

    async def iter_any(self) -> AsyncIterator[bytes]:
        half = len(self._raw) // 2
        for chunk in (self._raw[:half], self._raw[half:]):
            yield chunk


def _is_decoded(raw: bytes, decoded: bytes, coding: str) -> bool:
    """Whether zlib itself, member by member and without a bound, comes to the same."""
    return any(_members(raw, bits) == decoded for bits in _WINDOWS[coding] + ((15, 31) * (coding != "")))


def _members(raw: bytes, bits: int) -> bytes | None:
    found, rest = b"", raw
    while rest.strip(b"\0") or (rest and not found):
        member: Any = zlib.decompressobj(bits)
        try:
            found += member.decompress(rest) + member.flush()
        except zlib.error:
            return None
        if not member.eof:
            return None
        rest = member.unused_data
        if not rest.strip(b"\0"):
            break
    return found
