"""What can go wrong with keys, and with roles that may read."""

from logdrain.errors.root import LogdrainError


class UnknownKey(LogdrainError):
    """No valid key has this name or id."""

    code = "unknown_key"
    status = 404


class KeyAmbiguous(LogdrainError):
    """Several valid keys have this name; the message has their ids."""

    code = "key_ambiguous"
    status = 409


class TooManyAttempts(LogdrainError):
    """Too many requests without a valid key came from one address."""

    code = "too_many_attempts"
    status = 429
    retryable = True


class UnknownRole(LogdrainError):
    """The result's Postgres has no role of this name."""

    code = "unknown_role"
    status = 404
