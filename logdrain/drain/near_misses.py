"""Lines that are nearly tagged lines: their reason, so that they do not vanish among ordinary ones."""

import re
from typing import NamedTuple

from logdrain.drain.tags import read_tagged
from logdrain.model.events import NearMissReason

# Sizes are bounded: a search must not walk far from each `@`. Addresses (`bob@example.com {`) are none.
_TAG_AND_BRACE = re.compile(
    rb"@\s?\[[^\]]{0,255}\]\s*(?:\xef\xbb\xbf)*\{"
    rb"|(?<![\w.+-])@\s?[({<]?[\w-]{1,255}(?:\.[\w-]{1,255})+[)}>\]]?[:=]?\s*\{"
)
_TAG_FIRST = re.compile(rb"@\[[^\]\s]{1,255}\.[^\]\s]{1,255}")


class Miss(NamedTuple):
    """Why a line is no event, nearly as it is one."""

    reason: NearMissReason
    detail: str


def find_miss(line: bytes) -> Miss | None:
    """What keeps a line from being an event; None for an ordinary line.

    Args:
        line: Made bare; neither a tagged line nor one that a logger wrote in its own way.
    """
    found = _TAG_AND_BRACE.search(line, max(0, line.find(b"@")))
    if found is None:
        detail = "what follows the tag is no JSON object"
        return Miss(NearMissReason.NO_RECORD, detail) if _TAG_FIRST.match(line) else None
    if line.startswith(b"{"):
        detail = "it is in JSON, but no whole tagged line is in the field msg, message or event"
        return Miss(NearMissReason.JSON_FIELD, detail)
    if read_tagged(line[found.start() :]) is None:
        return Miss(
            NearMissReason.BAD_FORM, "a tagged line is written @[database.table] {…}, its tag without spaces"
        )
    before = line[: found.start()].decode("utf-8", "replace").strip()[:80]
    return Miss(NearMissReason.TEXT_BEFORE, f"no logger that is known here writes {before!r} before a line")
