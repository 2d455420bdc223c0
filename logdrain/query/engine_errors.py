"""From what the engine says to an error that the person who wrote the SQL understands."""

import re
from collections.abc import Callable
from typing import NamedTuple

from logdrain.errors import (
    NumberOverflow,
    QueryMemoryExceeded,
    SqlError,
    SqlSyntaxError,
    SqlTypeError,
    UnknownFunction,
)

# What follows the first sentence is about the engine: candidates, its settings, its own SQL.
_ENGINE_TALK = re.compile(
    r"\s*(?:\n|Possible solutions|Did you mean|You might need|Candidate|Use TRY\(|Use \"SET|, or SET ).*",
    re.DOTALL,
)
_KIND = re.compile(r"^(?P<kind>[A-Z][A-Za-z ]*?) Error: (?P<text>.*)$", re.DOTALL)
_FROM_COLUMN = re.compile(r" when casting from source column (?P<column>.*)$", re.DOTALL)

_OUT_OF_RANGE = re.compile(
    r"Type \w+ with value (\S+) can't be cast because the value is out of range"
    r" for the destination type (\w+)"
)

_ENGINE_TYPES = {
    "INT64": "BIGINT",
    "INT32": "INTEGER",
    "BOOL": "BOOLEAN",
    "STRING_LITERAL": "VARCHAR",
    "INTEGER_LITERAL": "INTEGER",
}


class _Rule(NamedTuple):
    kind: str
    pattern: str
    error: Callable[..., SqlError]
    hint: str


_TRY_CAST = "TRY_CAST(… AS …) yields NULL for values that do not convert"

_CAST = "convert with CAST(… AS …); a field that has held several types is VARCHAR"

# The first rule that fits wins.
_RULES = (
    _Rule("Out of Memory", "", QueryMemoryExceeded, "read less: a shorter time range, fewer columns"),
    _Rule("Parser", "", SqlSyntaxError, ""),
    _Rule("Catalog", r"Function with name", UnknownFunction, ""),
    _Rule("Conversion", r"out of range for the destination type", NumberOverflow, "use DOUBLE or DECIMAL"),
    _Rule("Conversion", "", SqlTypeError, _TRY_CAST),
    _Rule("Out of Range", r"[Oo]verflow", NumberOverflow, "use DOUBLE or DECIMAL"),
    _Rule(
        "Binder",
        r"No function matches|[Cc]annot (?:compare|mix|cast)|explicit type|choose",
        SqlTypeError,
        _CAST,
    ),
    _Rule("Invalid Input", r"Division by zero", SqlError, "NULLIF(divisor, 0) yields NULL instead"),
    _Rule("Invalid Input", r"Could not parse", SqlTypeError, "TRY(…) yields NULL instead"),
)


def engine_error(said: str) -> SqlError:
    """The error for a message of the engine, such as `Conversion Error: Could not convert …`."""
    found = _KIND.match(said.strip())
    kind, text = (found["kind"], found["text"]) if found else ("", said.strip())
    message = _plain(text)
    for rule in _RULES:
        if rule.kind == kind and re.search(rule.pattern, text):
            return rule.error(message, hint=rule.hint)
    return SqlError(message)


def _plain(text: str) -> str:
    """One line, in the words of SQL, with the expression it is about in front."""
    line = _ENGINE_TALK.sub("", text, count=1).strip() or text.strip().split("\n")[0]
    for engine_type, sql_type in _ENGINE_TYPES.items():
        line = re.sub(rf"\b{engine_type}\b", sql_type, line)
    line = line.replace(" // ", " / ").removesuffix(".")  # the engine's sign for dividing whole numbers
    line = _OUT_OF_RANGE.sub(r"\1 does not fit \2", line)
    column = _FROM_COLUMN.search(line)
    return f"{column['column'].strip()}: {line[: column.start()]}" if column else line
