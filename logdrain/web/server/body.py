"""A request's body, decoded and bounded.

aiohttp would decode by itself and answer 400 to what it cannot decode; here such a body is kept instead.
"""

import asyncio
import zlib

from aiohttp import web

from logdrain.errors import BodyTooLarge, StoreBusy
from logdrain.memory_budget import Reservation

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_RECEIVE_WITHIN_S = 60.0
_CHUNK_SIZE_BYTES = 64 * 1024
_MEMBERS_MAX = 1000  # a sender that compresses line by line makes no more
_CODINGS = {"gzip": _GZIP_OR_ZLIB, "x-gzip": _GZIP_OR_ZLIB, "deflate": _GZIP_OR_ZLIB}


class UndecodableBody(Exception):  # named for what it carries, and caught at once
    """A body whose Content-Encoding is wrong or unknown; `raw` has it as it came."""

    def __init__(self, raw: bytes, detail: str) -> None:
        super().__init__(detail)
        self.raw = raw
        self.detail = detail


async def receive_body(request: web.Request, size_max_bytes: int, memory: Reservation) -> bytes:
    """`read_body`, within the time that a sender may take.

    Raises:
        StoreBusy: it did not come in time; else what `read_body` raises.
    """
    try:
        async with asyncio.timeout(_RECEIVE_WITHIN_S):
            return await read_body(request, size_max_bytes, memory)
    except TimeoutError as error:
        raise StoreBusy(f"the body did not arrive within {_RECEIVE_WITHIN_S:g} s") from error


async def read_body(request: web.Request, size_max_bytes: int, memory: Reservation) -> bytes:
    """Read and decode a request's body.

    Args:
        request: Its body must not have been decoded (`auto_decompress=False`).
        size_max_bytes: The bound, before and after decoding.
        memory: Grows with what is received and decoded.

    Raises:
        BodyTooLarge: above the bound, before or after decoding.
        StoreBusy: the memory budget of bodies is used up.
        UndecodableBody: with the octets as they came.
    """
    if (request.content_length or 0) > size_max_bytes:
        raise _too_large(size_max_bytes)
    raw = bytearray()
    async for chunk in request.content.iter_any():
        memory.grow(len(chunk))
        raw += chunk
        if len(raw) > size_max_bytes:
            raise _too_large(size_max_bytes)
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding in {"", "identity"}:
        body = bytes(raw)
    elif coding in _CODINGS:
        body = await asyncio.to_thread(_decode, bytes(raw), coding, size_max_bytes, memory)
    else:
        raise UndecodableBody(bytes(raw), f"Content-Encoding {coding!r} is not known")
    return body


def _decode(raw: bytes, coding: str, size_max_bytes: int, memory: Reservation) -> bytes:
    try:
        return _decompress(raw, _CODINGS[coding], size_max_bytes, memory)
    except zlib.error as error:
        if coding != "deflate":
            raise UndecodableBody(raw, f"the body is no {coding}: {error}") from error
    try:  # "deflate" is zlib by the standard (RFC 9110 8.4.1.2), and raw deflate by custom
        return _decompress(raw, _RAW_DEFLATE, size_max_bytes, memory)
    except zlib.error as error:
        raise UndecodableBody(raw, f"the body is no {coding}: {error}") from error


def _decompress(raw: bytes, window_bits: int, size_max_bytes: int, memory: Reservation) -> bytes:
    """All members of a compressed body (RFC 1952 2.2), then zeros at most; never more than the bound."""
    decoded = bytearray()
    at = 0
    for _ in range(_MEMBERS_MAX):
        member = zlib.decompressobj(window_bits)
        while not member.eof:
            chunk = raw[at : at + _CHUNK_SIZE_BYTES]
            if not chunk:
                raise zlib.error("it ends too early")
            found = member.decompress(chunk, size_max_bytes + 1 - len(decoded))
            memory.grow(len(found))
            decoded += found
            if len(decoded) > size_max_bytes:
                raise _too_large(size_max_bytes)
            at += len(chunk) - len(member.unused_data)
        if not raw[at : at + 1].strip(b"\0"):
            break  # the end, or the padding that gzip itself takes
    else:
        raise zlib.error(f"it has more than {_MEMBERS_MAX} members")
    if raw[at:].strip(b"\0"):
        raise zlib.error("something follows its end")
    return bytes(decoded)


def _too_large(size_max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the body is larger than {size_max_bytes} bytes",
        hint="send smaller batches, or raise LOGDRAIN_BODY_SIZE_MAX_BYTES",
    )
