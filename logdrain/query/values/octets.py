"""Trino's functions of octets that the engine lacks: hashes, codes, and numbers as IEEE 754 has them.

MurmurHash3 is the 128-bit one for 64-bit machines, with the seed 0.
(https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp)
"""

import binascii
import hashlib
import hmac
import struct
from base64 import b32decode, b32encode
from functools import partial

_MASK = (1 << 64) - 1
_C1, _C2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
_BLOCK = 16
_LANE = 8


def keyed_hash(algorithm: str, data: bytes, key: bytes) -> bytes:
    """HMAC; of an empty key, too."""
    return hmac.digest(key, data, algorithm)


def sha512(data: bytes) -> bytes:
    """SHA-512."""
    return hashlib.sha512(data).digest()


def to_base32(data: bytes) -> str:
    """Base 32 with padding."""
    return b32encode(data).decode("ascii")


def from_base32(text: str) -> bytes | None:
    """The octets; None where the text is no base 32. Padding may be left out."""
    plain = text.rstrip("=")
    try:
        return b32decode(plain + "=" * (-len(plain) % _LANE)) if plain.isascii() else None
    except binascii.Error:
        return None


def to_ieee754(form: str, number: float) -> bytes:
    """The octets of a number, the highest first; `form` is struct's."""
    return struct.pack(form, number)


def from_ieee754(form: str, data: bytes) -> float | None:
    """The number that these octets are; None for another count of them."""
    if len(data) != struct.calcsize(form):
        return None
    number: float = struct.unpack(form, data)[0]
    return number


to_ieee754_32, to_ieee754_64 = partial(to_ieee754, ">f"), partial(to_ieee754, ">d")
from_ieee754_32, from_ieee754_64 = partial(from_ieee754, ">f"), partial(from_ieee754, ">d")


def murmur3(data: bytes) -> bytes:
    """The hash, 16 octets: two words with their lowest octet first."""
    first = second = 0
    whole = len(data) - len(data) % _BLOCK
    for at in range(0, whole, _BLOCK):
        low, high = struct.unpack_from("<2Q", data, at)
        first ^= _mixed(low, _C1, 31, _C2)
        first = ((_rotated(first, 27) + second) * 5 + 0x52DCE729) & _MASK
        second ^= _mixed(high, _C2, 33, _C1)
        second = ((_rotated(second, 31) + first) * 5 + 0x38495AB5) & _MASK
    rest = data[whole:]
    first ^= _mixed(int.from_bytes(rest[:_LANE], "little"), _C1, 31, _C2)
    second ^= _mixed(int.from_bytes(rest[_LANE:], "little"), _C2, 33, _C1)
    first, second = first ^ len(data), second ^ len(data)
    first = (first + second) & _MASK
    second = (second + first) & _MASK
    first, second = _finished(first), _finished(second)
    first = (first + second) & _MASK
    second = (second + first) & _MASK
    return struct.pack("<2Q", first, second)


def _mixed(word: int, factor: int, bits: int, last_factor: int) -> int:
    return (_rotated((word * factor) & _MASK, bits) * last_factor) & _MASK


def _rotated(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (64 - bits))) & _MASK


def _finished(word: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        word = ((word ^ (word >> 33)) * factor) & _MASK
    return word ^ (word >> 33)
