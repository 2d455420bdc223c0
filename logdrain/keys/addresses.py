"""Whose request it is, as far as it can be known."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

_SITE_BITS = 64  # one subscriber has at least so much of IPv6 (RFC 6177), and may call from all of it
_ADDRESS_MAX = 64


def client_address(peer: str, forwarded_for: Sequence[str], proxy_count: int) -> str:
    """The address that failures are counted by.

    Each proxy appends the address it was called from to `X-Forwarded-For`; whatever stands before is the
    caller's own claim. So with N trusted proxies the N-th entry from the end counts, without any the peer.

    Args:
        peer: Other end of the connection.
        forwarded_for: Values of `X-Forwarded-For`, as they came.
        proxy_count: How many proxies stand before this program and are trusted.
    """
    entries = [entry.strip() for value in forwarded_for for entry in value.split(",")]
    if proxy_count and len(entries) >= proxy_count:
        return _site(entries[-proxy_count])
    return _site(peer)


def _site(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:_ADDRESS_MAX]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> _SITE_BITS << _SITE_BITS)}/{_SITE_BITS}"
