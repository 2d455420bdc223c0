"""XXH64 with the seed 0, as Trino's XXHASH64 computes it.

(https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md)
"""

import struct

_MASK = (1 << 64) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_STRIPE = 32
_LANE = 8
_HALF = 4


def xxhash64(data: bytes) -> bytes:
    """The hash, 8 octets with the highest first."""
    at = 0
    if len(data) >= _STRIPE:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while at + _STRIPE <= len(data):
            lanes = [
                _round(lane, word)
                for lane, word in zip(lanes, struct.unpack_from("<4Q", data, at), strict=True)
            ]
            at += _STRIPE
        found = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            found = ((found ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        found = _P5
    found = _with_rest((found + len(data)) & _MASK, data, at)
    for bits, factor in ((33, _P2), (29, _P3)):
        found = ((found ^ (found >> bits)) * factor) & _MASK
    return (found ^ (found >> 32)).to_bytes(8, "big")


def _with_rest(found: int, data: bytes, at: int) -> int:
    while at + _LANE <= len(data):
        (word,) = struct.unpack_from("<Q", data, at)
        found = (_rotated(found ^ _round(0, word), 27) * _P1 + _P4) & _MASK
        at += _LANE
    if at + _HALF <= len(data):
        (word,) = struct.unpack_from("<I", data, at)
        found = (_rotated(found ^ (word * _P1) & _MASK, 23) * _P2 + _P3) & _MASK
        at += _HALF
    for octet in data[at:]:
        found = (_rotated(found ^ (octet * _P5) & _MASK, 11) * _P1) & _MASK
    return found


def _round(lane: int, word: int) -> int:
    return (_rotated((lane + word * _P2) & _MASK, 31) * _P1) & _MASK


def _rotated(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (64 - bits))) & _MASK
