"""How much memory a body may need as objects: many times its octets."""

import asyncio

# Measured: bytes of Python objects, documents of events included.
PER_OCTET_MAX = 40
_PER_OCTET = 7  # the octets, and one document twice while it is put together
_PER_FRAME = 700  # message, line, event or quarantine entry, id, origin
_PER_OBJECT = 200
_PER_KEY = 80
_PER_VALUE = 72
_PART_SIZE_BYTES = 1024 * 1024  # between two parts, other threads may run


async def weigh_body(body: bytes) -> int:
    """`weigh`, in a thread if the body is large."""
    return await asyncio.to_thread(weigh, body) if len(body) > _PART_SIZE_BYTES else weigh(body)


def weigh(body: bytes) -> int:
    """The most bytes that a body may need while it is parsed and stored, from counting its octets."""
    weight = sum(
        _weigh_part(body[at : at + _PART_SIZE_BYTES]) for at in range(0, len(body), _PART_SIZE_BYTES)
    )
    return min(weight, PER_OCTET_MAX * len(body))


def _weigh_part(part: bytes) -> int:
    return (
        _PER_OCTET * len(part)
        + _PER_FRAME * (part.count(b" <") + 1)  # one may lie across two parts
        + _PER_OBJECT * part.count(b"{")
        + _PER_KEY * (part.count(b'":') + 1)
        + _PER_VALUE * (part.count(b",") + part.count(b"["))
    )
