"""Nouns of access: a key has a scope and a name, and is kept as a hash only."""

import hashlib
import re
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

KEY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
"""What a key may be called: nothing that means something in a URL, a list or a log line."""


class Scope(StrEnum):
    """What a key may do."""

    DRAIN = "drain"  # POST /logs
    WRITE = "write"  # send events as JSON
    READ = "read"  # ask questions
    ADMIN = "admin"  # everything else


class Refusal(StrEnum):
    """Why a request was not let in."""

    NO_KEY = "no_key"
    UNREADABLE = "unreadable"  # an Authorization header that is neither Basic nor Bearer
    UNKNOWN = "unknown"
    SCOPE = "scope"  # a valid key of another scope


class Key(NamedTuple):
    """A key as the program keeps it.

    Attributes:
        sha256: Digest of the secret; the secret itself is not kept.
    """

    scope: Scope
    name: str
    sha256: bytes


class StoredKey(NamedTuple):
    """What is told of a key that Postgres keeps; never its secret or digest.

    Attributes:
        id: Tells keys of one name apart.
        revoked_at: None while it is valid.
    """

    id: int
    scope: Scope
    name: str
    created_at: datetime
    revoked_at: datetime | None


class NewKey(NamedTuple):
    """A key that was just made: the only time that its secret is there."""

    stored: StoredKey
    secret: str


def digest(secret: bytes) -> bytes:
    """What is kept of a secret: its SHA-256.

    Plain, without salt or stretching: those slow down guessing where people choose passwords. 256 random
    bits cannot be guessed at any speed, and each request is checked, so the check must be cheap.
    """
    return hashlib.sha256(secret).digest()
