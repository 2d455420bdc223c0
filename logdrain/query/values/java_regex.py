"""Regular expressions as Java has them, beyond RE2: look-around, back-references, groups that took no part.

The time of a match can grow without bounds with the text, so each has a limit.
"""

import re
from functools import lru_cache

import regex

_MATCH_MAX_S = 1.0
_PARTS = re.compile(
    r"(?P<beyond>\\[1-9k]|\(\?(?:<?[=!]|>)|[*+?}]\+)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL
)
_REFERENCE = re.compile(r"\\(?P<plain>.)|\$(?:(?P<number>[0-9])|\{(?P<name>\w+)\})", re.DOTALL)

Pattern = regex.Pattern[str]


def is_beyond_re2(pattern: str) -> bool:
    """Whether a pattern has a part that RE2 lacks."""
    return any(found["beyond"] for found in _PARTS.finditer(pattern))


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern | None:
    """The pattern; None where it is none."""
    try:
        return regex.compile(pattern.replace(r"\z", r"\Z"), regex.ASCII | regex.VERSION0)
    except (regex.error, RecursionError):
        return None


def is_match(text: str, pattern: Pattern) -> bool:
    """Whether the pattern matches anywhere."""
    return pattern.search(text, timeout=_MATCH_MAX_S) is not None


def extracted(text: str, pattern: Pattern, group: int) -> str | None:
    """A group of the first match; None where nothing matches, or the group took no part."""
    found = pattern.search(text, timeout=_MATCH_MAX_S)
    return found[group] if found and 0 <= group <= pattern.groups else None


def all_extracted(text: str, pattern: Pattern, group: int) -> list[str | None]:
    """A group of each match."""
    if not 0 <= group <= pattern.groups:
        return []
    return [found[group] for found in pattern.finditer(text, timeout=_MATCH_MAX_S)]


def replaced(text: str, pattern: Pattern, replacement: str) -> str:
    r"""Every match replaced; `$1` and `${name}` stand for groups, a backslash makes what follows plain."""

    def written(found: regex.Match[str]) -> str:
        def part(reference: re.Match[str]) -> str:
            if reference["plain"] is not None:
                return reference["plain"]
            group = reference["name"] or int(reference["number"])
            return found[group] or ""

        return _REFERENCE.sub(part, replacement)

    return pattern.sub(written, text, timeout=_MATCH_MAX_S)


def split(text: str, pattern: Pattern) -> list[str]:
    """The text between matches."""
    parts, end = [], 0
    for found in pattern.finditer(text, timeout=_MATCH_MAX_S):
        parts.append(text[end : found.start()])
        end = found.end()
    return [*parts, text[end:]]


def position(text: str, pattern: Pattern) -> int:
    """Where the first match begins, from 1; -1 where nothing matches."""
    found = pattern.search(text, timeout=_MATCH_MAX_S)
    return found.start() + 1 if found else -1
