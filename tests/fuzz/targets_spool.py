"""What must hold for a segment of the spool, whatever has happened to its octets."""

from logdrain.model.events import Delivery
from logdrain.model.spool import Spooled
from logdrain.spool.segments import Foreign, encode, entries_start, find, first_line, read_first_line, survey

_KEY = bytes(range(8))
_SPOOLED = Spooled(Delivery("shop", "one", "d.token", 1), b"64 <190>1 ... body", "")


def segment(octets: bytes) -> None:
    """Entries and damage follow each other without a gap, and a sound entry behind them is always found."""
    key = read_first_line(octets)
    if not isinstance(key, Foreign):
        _read_through(octets, key)
    _read_through(first_line(_KEY) + octets, _KEY)
    behind = first_line(_KEY) + octets + encode(_SPOOLED, _KEY)
    assert _SPOOLED in _read_through(behind, _KEY), "damage hides what comes after it"


def _read_through(octets: bytes, key: bytes | None) -> list[Spooled]:
    def read_at(offset: int, size: int) -> bytes:
        return octets[offset : offset + size]

    whole = survey(read_at, len(octets), key)
    offset, count, sound = entries_start(key), 0, []
    assert offset <= len(octets), "the first line is longer than the segment"
    while offset < whole.end:
        found = find(read_at, offset, whole.end, key)
        assert found.start == offset < found.end <= whole.end, "octets were left out"
        if found.spooled is not None:
            sound.append(found.spooled)
        offset, count = found.end, count + 1
    assert (offset, count) == (whole.end, whole.entry_count)
    return sound
