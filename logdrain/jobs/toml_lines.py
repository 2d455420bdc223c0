"""On which lines of a job file things are said."""

import re

_LONG_TEXT_MARK = re.compile(r"\"{3}|'{3}")
_LONG_TEXT_BELOW = re.compile(r"[^=]*=\s*(?:\"{3}|'{3})\s*$")


def line_of(key: str, text: str) -> int:
    """The line, from 1, where a key of the top level is set; lines within long texts do not count."""
    setting = re.compile(rf"\s*(?:\[\[?\s*)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    open_mark = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not open_mark and setting.match(line):
            return number
        for mark in _LONG_TEXT_MARK.findall(line):
            if not open_mark:
                open_mark = mark
            elif mark == open_mark:
                open_mark = ""
    return 1


def first_line_of(key: str, text: str) -> int:
    """The line, from 1, of the first line of a key's text: TOML leaves out a line end after three quotes."""
    line = line_of(key, text)
    return line + bool(_LONG_TEXT_BELOW.match((text.splitlines() or [""])[line - 1]))
