"""Nouns of access: a key has a scope and a name, and is kept as a hash only."""

from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """What a key may do."""

    DRAIN = "drain"  # POST /logs
    WRITE = "write"  # send events as JSON
    READ = "read"  # ask questions
    ADMIN = "admin"  # everything else


class Key(NamedTuple):
    """A key as the program keeps it.

    Attributes:
        sha256: Digest of the secret; the secret itself is not kept.
    """

    scope: Scope
    name: str
    sha256: bytes
