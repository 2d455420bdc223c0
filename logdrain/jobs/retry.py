"""Retry back-off: how long a failed slice waits before it is tried again."""

from datetime import timedelta

_BACKOFF_FIRST_S = 10
_BACKOFF_MAX_S = 600
_REVIVE_TRANSIENT = timedelta(minutes=10)
# A lasting error needs a person.
_REVIVE = timedelta(hours=1)


def retry_after(attempt: int) -> timedelta:
    """The back-off after failed attempt number `attempt`, from 1: 10 s, 20 s, 40 s … 10 min."""
    doublings = min(attempt - 1, _BACKOFF_MAX_S.bit_length())
    return timedelta(seconds=min(_BACKOFF_FIRST_S << doublings, _BACKOFF_MAX_S))


def revive_after(*, is_transient: bool) -> timedelta:
    """The pause after the last retry, before late events may bring the slice back."""
    return _REVIVE_TRANSIENT if is_transient else _REVIVE
