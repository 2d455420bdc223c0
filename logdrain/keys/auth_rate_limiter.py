"""The rate limit on wrong keys: a token bucket for each address, in bounded memory.

A bucket begins full, each failure takes a token, and tokens come back at a steady rate (the leaky bucket as
a meter of ITU-T I.371). A full bucket is the same as none, so it is forgotten. Where there is no room for
another address, the addresses that have none share one bucket: many addresses get no further than few.
"""

from dataclasses import dataclass

_SHARED = ""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class AuthRateLimiter:
    """Counts failures by address.

    Args:
        burst: So many failures at once.
        per_s: So many more in each second.
        addresses_max: Buckets kept; one address takes some 200 octets.
    """

    def __init__(self, *, burst: int, per_s: float, addresses_max: int) -> None:
        self._burst = burst
        self._per_s = per_s
        self._addresses_max = addresses_max
        self._buckets: dict[str, _Bucket] = {}
        self._swept_at_s = float("-inf")

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str, now_s: float) -> bool:
        """Note a failure; whether it is within the limit.

        Args:
            address: Who failed.
            now_s: A clock that does not go back.
        """
        bucket = self._bucket(address, now_s)
        bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _bucket(self, address: str, now_s: float) -> _Bucket:
        if address not in self._buckets and not self._has_room(now_s):
            address = _SHARED
        return self._buckets.setdefault(address, _Bucket(self._burst, now_s))

    def _has_room(self, now_s: float) -> bool:
        """Forget full buckets where the room is taken, but not at every call: that would be the attack."""
        fills_in_s = self._burst / self._per_s
        if len(self._buckets) >= self._addresses_max and now_s - self._swept_at_s >= fills_in_s:
            self._swept_at_s = now_s
            self._buckets = {
                address: bucket
                for address, bucket in self._buckets.items()
                if bucket.tokens + (now_s - bucket.at_s) * self._per_s < self._burst
            }
        return len(self._buckets) < self._addresses_max
