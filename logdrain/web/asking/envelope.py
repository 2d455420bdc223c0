"""What the drain's process hands to a query process, and what comes back."""

from collections.abc import Generator
from typing import NamedTuple

import msgspec

AT_ONCE = 2
"""Questions that one process answers at the same moment: a long one does not hold up all others."""

NDJSON = "application/x-ndjson"


class Envelope(msgspec.Struct, frozen=True):
    """A question on its way.

    Attributes:
        route: Whose question it is.
        body: The question, JSON.
    """

    route: str
    body: msgspec.Raw


class AnswerHead(NamedTuple):
    """What an answer begins with."""

    content_type: str
    headers: dict[str, str]


AnswerParts = Generator["AnswerHead | bytes", None, None]
"""The head, and then octets."""
