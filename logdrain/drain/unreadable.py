"""Octets that are no message -> quarantine entries: many frames share one, however small they are.

Six octets make a frame. With an entry for each, a small body would be millions of documents.
"""

from dataclasses import dataclass, field

from logdrain.drain.ids import make_id
from logdrain.model.events import Delivery, DropReason, Frame, Origin, Quarantined

ENTRY_SIZE_MAX_BYTES = 1024 * 1024
"""An entry gets no further frames above it; one frame may be larger."""

_DETAILS = {
    DropReason.JUNK: "these octets are not in a frame: <count> <PRI>1 TIME HOST APP PROCID - MESSAGE",
    DropReason.BAD_HEADER: "this frame has no syslog header: <PRI>1 TIME HOST APP PROCID - MESSAGE",
}


@dataclass(slots=True)
class _Entry:
    position: int
    reason: DropReason
    raw: bytearray = field(default_factory=bytearray)
    frames: int = 0


class UnreadableFrames:
    """Gathers junk and frames without a header of one delivery, each of its kind, in order.

    An entry has the octets as they came, counts included, and each piece on a line of its own; the first
    one names it.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._entries: list[_Entry] = []
        self._growing: dict[DropReason, _Entry] = {}

    def add(self, frame: Frame) -> None:
        """Put a frame behind the others of its kind."""
        reason = DropReason.JUNK if frame.junk else DropReason.BAD_HEADER
        octets = frame.data if frame.junk else b"%s %s" % (frame.digits, frame.data)
        entry = self._growing.get(reason)
        if entry is None or len(entry.raw) + len(octets) > ENTRY_SIZE_MAX_BYTES:
            entry = self._growing[reason] = _Entry(frame.position, reason)
            self._entries.append(entry)
        elif not entry.raw.endswith(b"\n"):
            entry.raw += b"\n"
        entry.raw += octets
        entry.frames += 1

    def entries(self) -> list[Quarantined]:
        """What has been gathered."""
        return [
            quarantine_octets(bytes(entry.raw), self._delivery, entry.position, entry.reason, _detail(entry))
            for entry in self._entries
        ]


def quarantine_octets(
    raw: bytes, delivery: Delivery, position: int, reason: DropReason, detail: str
) -> Quarantined:
    """An entry of octets at this place of a delivery that are no message."""
    origin = Origin(delivery.drain, "", "", delivery.token)
    return Quarantined(
        make_id(None, delivery.drain, delivery.id, position), reason, detail, None, origin, raw
    )


def _detail(entry: _Entry) -> str:
    detail = _DETAILS[entry.reason]
    return detail if entry.frames == 1 else f"{detail} ({entry.frames} such pieces)"
