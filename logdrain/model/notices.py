"""Notices, and the URLs that they are sent to."""

from typing import NamedTuple
from urllib.parse import urlsplit

from logdrain.errors import NotifyUrlInvalid

_SCHEMES = ("https", "http")
_PRINTABLE = range(0x21, 0x7F)


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


def check_notify_url(url: str) -> None:
    """Refuse what no notice can be sent to; the message does not show the URL, which has secrets.

    Raises:
        NotifyUrlInvalid: Not http or https, without a host, or with characters that a URL cannot have.
    """
    try:
        parts = urlsplit(url)
        is_readable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_readable = False
    if not is_readable or any(ord(char) not in _PRINTABLE for char in url) or "@" in urlsplit(url).netloc:
        raise NotifyUrlInvalid(
            "the URL for notices cannot be used",
            hint="https://HOST/PATH without a user name, other characters percent-encoded",
        )
