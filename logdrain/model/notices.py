"""Nouns of notices."""

from typing import NamedTuple


class Notice(NamedTuple):
    """What is to be told to whoever listens at a URL.

    Attributes:
        key: The same however often it is sent: who gets it twice can tell.
        url: Where to, "" is the place for all notices; has secrets: never print it.
        body: JSON object; `event` says what happened.
        attempts: How often it has been tried.
    """

    key: str
    url: str
    body: dict[str, object]
    attempts: int
