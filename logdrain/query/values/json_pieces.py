"""A part of a JSON text as it is written: `1.50` stays `1.50`, and no digit of a long number is lost."""

import json
import re

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*")
_STRING_OR_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\n\r]+')


def json_piece(text: str, pointer: str) -> str | None:
    """The value at a JSON pointer (RFC 6901), without white space; None where there is none."""
    at = _after_space(text, 0)
    try:
        for step in pointer.split("/")[1:]:
            found = _child(text, at, step.replace("~1", "/").replace("~0", "~"))
            if found is None:
                return None
            at = found
        _, end = _DECODER.raw_decode(text, at)
    except (json.JSONDecodeError, RecursionError):
        return None
    return _STRING_OR_SPACE.sub(r"\1", text[at:end])


def _child(text: str, at: int, step: str) -> int | None:
    """Where the value of a key, or the element of a list, begins."""
    if text[at : at + 1] not in ("{", "["):
        return None
    is_object = text[at] == "{"
    at = _after_space(text, at + 1)
    place = 0
    while text[at : at + 1] not in ("}", "]", ""):
        name: object = str(place)
        if is_object:
            name, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)  # the colon
        if name == step:
            return at
        _, at = _DECODER.raw_decode(text, at)
        at = _after_space(text, at)
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        place += 1
    return None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
