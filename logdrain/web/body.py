"""A request's body, decoded and bounded.

aiohttp would decode by itself and answer 400 to what it cannot decode; here such a body is kept instead.
"""

import zlib

from aiohttp import web

from logdrain.errors import BodyTooLarge

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_CODINGS = {"gzip": _GZIP_OR_ZLIB, "x-gzip": _GZIP_OR_ZLIB, "deflate": _GZIP_OR_ZLIB}


class UndecodableBody(Exception):  # named for what it carries, and caught at once
    """A body whose Content-Encoding is wrong or unknown; `raw` has it as it came."""

    def __init__(self, raw: bytes, detail: str) -> None:
        super().__init__(detail)
        self.raw = raw
        self.detail = detail


async def read_body(request: web.Request, size_max_bytes: int) -> bytes:
    """Read and decode a request's body.

    Args:
        request: Its body must not have been decoded (`auto_decompress=False`).
        size_max_bytes: The bound, before and after decoding.

    Raises:
        BodyTooLarge: above the bound, before or after decoding.
        UndecodableBody: with the octets as they came.
    """
    if (request.content_length or 0) > size_max_bytes:
        raise _too_large(size_max_bytes)
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > size_max_bytes:
            raise _too_large(size_max_bytes)
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return bytes(raw)
    if coding not in _CODINGS:
        raise UndecodableBody(bytes(raw), f"Content-Encoding {coding!r} is not known")
    try:
        return _decompress(bytes(raw), _CODINGS[coding], size_max_bytes)
    except zlib.error as error:
        if coding != "deflate":
            raise UndecodableBody(bytes(raw), f"the body is no {coding}: {error}") from error
    try:  # "deflate" is zlib by the standard (RFC 9110 8.4.1.2), and raw deflate by custom
        return _decompress(bytes(raw), _RAW_DEFLATE, size_max_bytes)
    except zlib.error as error:
        raise UndecodableBody(bytes(raw), f"the body is no {coding}: {error}") from error


def _decompress(raw: bytes, window_bits: int, size_max_bytes: int) -> bytes:
    """All members of a compressed body; never more than the bound in memory."""
    decoded = bytearray()
    while raw:
        member = zlib.decompressobj(window_bits)
        decoded += member.decompress(raw, size_max_bytes + 1 - len(decoded))
        if len(decoded) > size_max_bytes:
            raise _too_large(size_max_bytes)
        if not member.eof:
            raise zlib.error("it ends too early")
        raw = member.unused_data
    return bytes(decoded)


def _too_large(size_max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"the body is larger than {size_max_bytes} bytes",
        hint="send smaller batches, or raise LOGDRAIN_BODY_SIZE_MAX_BYTES",
    )
