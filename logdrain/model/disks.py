"""When a disk is nearly full."""

from logdrain.errors import DiskNearlyFull

_FREE_SHARE_MIN = 0.05
# A large disk has room for days at 5 %.
_FREE_MIN_BYTES = 10 * 1024**3
_HINT = "make room: a disk that is full takes no event"


def check_room(what: str, *, free_bytes: float, total_bytes: float) -> None:
    """Complain of a disk, or a bound, with less than 5 % and less than 10 GiB free.

    Raises:
        DiskNearlyFull: it is so.
    """
    if free_bytes < min(total_bytes * _FREE_SHARE_MIN, _FREE_MIN_BYTES):
        share = max(free_bytes, 0) / total_bytes
        raise DiskNearlyFull(f"{what} is nearly full: {share:.1%} is free", hint=_HINT)
