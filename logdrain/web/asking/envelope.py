"""What the drain's process hands to a query process, and what comes back."""

from collections.abc import Generator
from typing import Any, NamedTuple

import msgspec

from logdrain.errors import LogdrainError
from logdrain.model.narrowing import Narrowing, read_narrowing

AT_ONCE = 2
"""Questions that one process answers at the same moment: a long one does not hold up all others."""

NDJSON = "application/x-ndjson"


class KeyLimits(msgspec.Struct, frozen=True):
    """How a key is narrowed, as JSON has it."""

    tables: tuple[str, ...] = ()
    filter: Any = None
    hide: tuple[Any, ...] = ()

    @property
    def narrowing(self) -> Narrowing | None:
        """The same, to read with; None where nothing is narrowed.

        Raises:
            UsageError: it cannot be read; then nothing may be.
        """
        if not self.tables and self.filter is None and not self.hide:
            return None
        return read_narrowing(self.tables, self.filter, self.hide)


class Envelope(msgspec.Struct, frozen=True):
    """A question on its way.

    Attributes:
        route: Whose question it is.
        body: The question, JSON.
        limits: Of the key that asks.
    """

    route: str
    body: msgspec.Raw
    limits: KeyLimits = KeyLimits()


class AnswerHead(NamedTuple):
    """What an answer begins with."""

    content_type: str
    headers: dict[str, str]


AnswerParts = Generator["AnswerHead | bytes", None, None]
"""The head, and then octets."""


def error_document(error: LogdrainError) -> dict[str, Any]:
    """An error as answers have it."""
    return {"error": {"code": error.code, "message": error.located, "hint": error.hint}}
