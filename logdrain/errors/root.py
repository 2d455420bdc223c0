"""The root of the error tree, and the errors that every road may meet."""

from typing import ClassVar, NamedTuple


class Place(NamedTuple):
    """Where in a text something stands; both count from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class LogdrainError(Exception):
    """Something went wrong that a person can understand and act on.

    Args:
        message: What is wrong, one line, no secret in it.
        hint: What to do about it, one line, may be empty.
        place: Where in the text that was given, if it is about a part of one.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    @property
    def located(self) -> str:
        """The message behind its place: `line 2, column 5: there is no column prize here`."""
        return f"{self.place}: {self.message}" if self.place else self.message

    def __str__(self) -> str:
        return f"{self.located} ({self.hint})" if self.hint else self.located


class UsageError(LogdrainError):
    """The words of a command or request are off."""

    code = "usage"
    status = 400
    exit_status = 2


class ConfigError(LogdrainError):
    """One or more settings are missing or unreadable; the message lists them all."""

    code = "config_invalid"


class Unauthorized(LogdrainError):
    """No key, or a key that is not known or has not the scope asked for."""

    code = "unauthorized"
    status = 401


class BadRequest(LogdrainError):
    """What came is no HTTP request, or its body is not what the route takes."""

    code = "bad_request"
    status = 400


class HeadersTooLarge(LogdrainError):
    """A request's head is above the documented limit."""

    code = "headers_too_large"
    status = 431


class TooManyConnections(LogdrainError):
    """As many connections are open as may be, and none of them idles."""

    code = "too_many_connections"
    status = 503
    retryable = True


class UnsupportedMediaType(LogdrainError):
    """A body's Content-Type is none that the route takes."""

    code = "unsupported_media_type"
    status = 415


class BodyTooLarge(LogdrainError):
    """A request body is above the documented limit."""

    code = "body_too_large"
    status = 413


class StoreUnavailable(LogdrainError):
    """MongoDB cannot be reached, or did not confirm in time."""

    code = "store_unavailable"
    status = 503
    retryable = True


class SplitChanged(StoreUnavailable):
    """Another delivery continued the same cut line in this moment; reading again shows whose it is."""

    code = "split_changed"


class StoreBusy(LogdrainError):
    """The queue before MongoDB is full."""

    code = "store_busy"
    status = 503
    retryable = True


class SpoolUnavailable(LogdrainError):
    """The spool cannot take or give a delivery: disk full, read-only or broken, at its bound, or in use."""

    code = "spool_unavailable"
    status = 503
    retryable = True


class DiskNearlyFull(LogdrainError):
    """A disk that events are kept on has little room left; `/health` says so before it is full."""

    code = "disk_nearly_full"
    status = 503


class NotRunning(LogdrainError):
    """A command needs servers and found none."""

    code = "not_running"
    status = 503


class NotFound(LogdrainError):
    """Nothing is served at this path."""

    code = "not_found"
    status = 404


class MethodNotAllowed(LogdrainError):
    """Something is served at this path, but not by this method."""

    code = "method_not_allowed"
    status = 405


class DeliveryFailed(LogdrainError):
    """Some lines could not be delivered; the message has the count."""

    code = "delivery_failed"
    retryable = True
