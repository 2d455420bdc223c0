"""Who may: the keys that Postgres keeps."""

from typing import Protocol

from logdrain.model.keys import Key, NewKey, Scope, StoredKey


class Keys(Protocol):
    """Keys in the ledger's Postgres. Every method may raise LedgerUnavailable or MigrationError."""

    def create(self, scope: Scope, name: str) -> NewKey:
        """Make a key with a secret of 256 random bits; others of its name stay valid."""
        ...

    def valid(self) -> tuple[Key, ...]:
        """All keys that are not revoked."""
        ...

    def every(self) -> list[StoredKey]:
        """All keys, revoked ones too, in order of name and age."""
        ...

    def revoke(self, which: str) -> StoredKey:
        """Revoke the valid key of this id or name.

        Raises:
            UnknownKey: no valid key has it; with the nearest name.
            KeyAmbiguous: several valid keys have this name.
        """
        ...
