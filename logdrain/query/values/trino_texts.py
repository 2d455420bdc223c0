"""Trino's functions of text and numbers that the engine lacks, as values."""

_SPANS = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_BASES = range(2, 37)


def number_in_base(text: str, base: int) -> int | None:
    """`from_base('ff', 16)`; None where the text is no number of that base."""
    try:
        return int(text, base) if base in _BASES and "_" not in text else None
    except ValueError:
        return None


def is_luhn(text: str) -> bool | None:
    """Whether the last digit is the one that Luhn's algorithm makes of the others; None for other signs."""
    if not (text.isascii() and text.isdigit()):
        return None
    total = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  the sum of its two digits
    return total % 10 == 0


def span_in_words(seconds: float) -> str:
    """`1 hour, 2 minutes, 42 seconds`."""
    left = abs(round(seconds))
    words = []
    for name, length in _SPANS:
        count, left = divmod(left, length)
        if count:
            words.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(words) or "0 seconds"
