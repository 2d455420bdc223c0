"""Hive's functions of text that the engine lacks, as values.

(https://cwiki.apache.org/confluence/display/Hive/LanguageManual+UDF)
"""

import re
import zlib

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORD_MAX = 2**64 - 1
_SIGN = 2**63
_CODES = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "01230120022455012623010202", strict=True))
_CODE_LENGTH = 4


def converted(text: str, from_base: int, to_base: int) -> str | None:
    """The number in another base, 2 to 36, as 64 bits without a sign; with one where `to_base` is negative.

    Digits count up to the first that is none; a number beyond 64 bits is the greatest.
    """
    if not 2 <= from_base <= len(_DIGITS) or not 2 <= abs(to_base) <= len(_DIGITS) or not text:  # noqa: PLR2004  Hive's bases
        return None
    is_negative = text.startswith("-")
    digits = _DIGITS[:from_base]
    found = re.match(f"[{digits}]*", text[is_negative:].upper())
    value = min(int(found[0], from_base), _WORD_MAX) if found and found[0] else 0
    is_beyond_sign = value >= _SIGN
    if to_base > 0:
        if is_negative:
            value = _WORD_MAX if is_beyond_sign else -value % (_WORD_MAX + 1)
        return _in_base(value, to_base)
    if is_beyond_sign:
        value = _WORD_MAX + 1 - value
    sign = "-" if value and (is_negative or is_beyond_sign) else ""
    return sign + _in_base(value, -to_base)


def crc32(text: str) -> int:
    """The cyclic redundancy check of the text's UTF-8 octets."""
    return zlib.crc32(text.encode())


def soundex(text: str) -> str | None:
    """A letter and three digits of how a word sounds; "" without letters; NULL with others than A to Z."""
    letters = "".join(sign for sign in text if sign.isalpha()).upper()
    if not letters or not set(letters) <= _CODES.keys():
        return None if letters else ""
    code, last = letters[0], _CODES[letters[0]]
    for letter in letters[1:]:
        digit = _CODES[letter]
        if digit not in ("0", last):
            code += digit
        if letter not in "HW":  # between two letters of one code, these do not part them
            last = digit
    return code[:_CODE_LENGTH].ljust(_CODE_LENGTH, "0")


def _in_base(value: int, base: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = _DIGITS[digit] + digits
    return digits or "0"
