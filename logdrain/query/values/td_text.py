"""TD functions of text: URLs, octets of an encoding, digests."""

import base64
import codecs
import hashlib
import re
from functools import lru_cache
from urllib.parse import quote_plus, unquote_to_bytes

_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LOCALES = {"ko": "euc_kr"}
_CHARACTER_OCTETS_MAX = 8  # ISO-2022-JP: two, with a change of set before and behind
_DIGEST_CHARACTERS, _DIGEST_CHARACTERS_MIN = 10, 6


@lru_cache(maxsize=64)
def find_charset(name: str) -> str | None:
    """Python's name of a character set (`UTF-8`, `EUC-KR`) or of a locale's (`ko`); else None."""
    try:
        codec = codecs.lookup(_LOCALES.get(name, name))
    except (ValueError, LookupError):  # a NUL; unknown
        return None
    # `hex`, `zip` and their like are codecs, too, but of octets.
    is_text = getattr(codec, "_is_text_encoding", False)
    return codec.name if is_text and codec.name not in ("idna", "punycode", "undefined") else None


def url_encoded(text: str, charset: str) -> str:
    """As Java's URLEncoder: a space is `+`, and letters, digits and `.-*_` stay as they are.

    What the character set lacks is `?`.
    """
    return quote_plus(text.encode(charset, "replace"), safe="*").replace("~", "%7E")


def url_decoded(text: str, charset: str) -> str | None:
    """As Java's URLDecoder: `+` is a space; None for a broken `%`, octets that are no text become U+FFFD."""
    if _BAD_PERCENT.search(text):
        return None
    octets = b"".join(
        unquote_to_bytes(part) if part.startswith("%") else part.encode(charset, "replace")
        for part in re.split(r"((?:%[0-9A-Fa-f]{2})+)", text.replace("+", " "))
    )
    return octets.decode(charset, "replace")


def within_octets(text: str, octets: int, charset: str) -> str:
    """The longest beginning that has at most so many octets in the character set; no character is cut."""
    if octets <= 0:
        return ""
    kept = text[:octets]
    while len(kept.encode(charset, "replace")) > octets:
        over = len(kept.encode(charset, "replace")) - octets
        kept = kept[: -max(1, over // _CHARACTER_OCTETS_MAX)]
    return kept


def digest(text: str, weight: float) -> str:
    """6 to 10 characters that stand for a text: the URL-safe Base64 of its MD5, cut.

    A weight below 1 cuts more: shorter, and more often the same for two texts.
    """
    length = min(_DIGEST_CHARACTERS, max(_DIGEST_CHARACTERS_MIN, round(_DIGEST_CHARACTERS * weight)))
    octets = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(octets).decode()[:length]
