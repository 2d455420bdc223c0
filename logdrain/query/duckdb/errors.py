"""DuckDB's errors, in the words of SQL and with a place in the user's text.

DuckDB says where in its own SQL an error is, or names a value. `find_risks` says which parts of
the text can fail; `engine_error` finds the part that a message is about.
"""

import json
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlglot import exp

from logdrain.errors import (
    NumberOverflow,
    Place,
    QueryMemoryExceeded,
    SqlError,
    SqlSyntaxError,
    SqlTypeError,
    UnknownFunction,
)
from logdrain.query.duckdb.failure import EXPLAIN
from logdrain.query.duckdb.trino_casts import NOT_READ
from logdrain.query.sql.context import SqlTree

_LOCATION = re.compile(r'"location"\s*:\s*"?\[(?P<start>[0-9]+),\s*(?P<length>[0-9]+)\]')

# After the first sentence DuckDB writes of candidates, settings and its own SQL.
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
    "INT16": "SMALLINT",
    "INT8": "TINYINT",
    "BOOL": "BOOLEAN",
    "STRING_LITERAL": "VARCHAR",
    "INTEGER_LITERAL": "INTEGER",
}


class Risk(StrEnum):
    """How a part of a query can fail while it runs."""

    CAST = "cast"
    DIVISION = "division"
    OVERFLOW = "overflow"
    PARSE = "parse"
    PATTERN = "pattern"


class RiskyPart(NamedTuple):
    """A part of a query that can fail while it runs.

    Attributes:
        place: In the user's text.
        text: The part in the user's dialect.
        type: Of a cast: the engine's type that it casts to; else "".
    """

    risk: Risk
    place: Place
    text: str
    type: str


class EnginePlace(NamedTuple):
    """Where a part of the engine's SQL comes from.

    Attributes:
        offset: In characters of the engine's SQL.
        place: In the user's text.
        word: Of a function: its name as it was written; else "".
    """

    offset: int
    place: Place
    word: str


class Clues(NamedTuple):
    """What tells where an error of a query comes from.

    Attributes:
        risky_parts: What can fail while it runs.
        places: Where the parts of the engine's SQL come from, in its order.
    """

    risky_parts: tuple[RiskyPart, ...] = ()
    places: tuple[EnginePlace, ...] = ()


NO_CLUES = Clues()


class _Rule(NamedTuple):
    kind: str
    pattern: str
    error: Callable[..., SqlError]
    hint: str
    risks: tuple[Risk, ...] = ()


_TRY_CAST = "TRY_CAST(… AS …) yields NULL for values that do not convert"

_TRY = "TRY(…) yields NULL instead"
_OF_THAT_TYPE = "write a value of that type"
_WIDER = "use DOUBLE or DECIMAL"
_NULLIF = "NULLIF(divisor, 0) yields NULL instead"
_RE2 = r"missing [])]|repetition|escape sequence|perl operator|character class|group syntax|unexpected \)"
_NUMBERS = (Risk.OVERFLOW, Risk.CAST)

_TIME_FROM_NUMBER = (
    r"'(?:date_\w+|year|quarter|month|week|day\w*|hour|minute|second|last_day|strftime)\([^)]*(?:BIGINT|INTEGER)"
    r"|'\S+\((?:BIGINT|INTEGER\w*), INTERVAL\)"
)
_SECONDS = "FROM_UNIXTIME(…) makes a timestamp of unix seconds, such as `time`"
_CAST = "convert with CAST(… AS …); a field that has held several types is VARCHAR"

# The first rule that fits wins.
_RULES = (
    _Rule("Out of Memory", "", QueryMemoryExceeded, "read less: a shorter time range, fewer columns"),
    _Rule("Row Size", "", QueryMemoryExceeded, "take a part of a long text: SUBSTR(text, 1, 1000)"),
    _Rule("Parser", "", SqlSyntaxError, ""),
    _Rule("Catalog", r"Function with name", UnknownFunction, ""),
    _Rule("Conversion", r"out of range for the destination type", NumberOverflow, _WIDER, _NUMBERS),
    _Rule("Conversion", r"decode", SqlTypeError, _TRY),
    _Rule(
        "Conversion", r"specifier", SqlError, "write year, quarter, month, week, day, hour, minute or second"
    ),
    _Rule("Conversion", "", SqlTypeError, _TRY_CAST, (Risk.CAST,)),
    _Rule("Out of Range", r"[Oo]verflow", NumberOverflow, _WIDER, _NUMBERS),
    _Rule("Binder", r"in the GROUP BY clause", SqlError, "add it to GROUP BY, or take one: MIN(…)"),
    _Rule("Binder", r"contain aggregates", SqlError, "filter what is aggregated with HAVING"),
    _Rule("Binder", r"contain window functions", SqlError, "filter in a query around this one"),
    _Rule("Binder", r"cannot be nested", SqlError, "aggregate the rows of a subquery"),
    _Rule("Binder", r"UNNEST requires", SqlTypeError, "write CROSS JOIN UNNEST(list) AS t(element)"),
    _Rule("Binder", _TIME_FROM_NUMBER, SqlTypeError, _SECONDS),
    _Rule(
        "Binder",
        r"No function matches|[Cc]annot (?:compare|mix|cast)|explicit type|choose",
        SqlTypeError,
        _CAST,
    ),
    _Rule("Invalid Input", r"Division by zero", SqlError, _NULLIF, (Risk.DIVISION,)),
    _Rule("Invalid Input", r"Could not parse", SqlTypeError, _TRY, (Risk.PARSE,)),
    _Rule("Invalid Input", r"hex digit|Malformed JSON", SqlTypeError, _TRY),
    _Rule("Invalid Input", _RE2, SqlError, "regular expressions are those of RE2", (Risk.PATTERN,)),
)

_NO_FUNCTION = re.compile(
    r"(?:given name and argument types|for the function call) ['\"](?P<name>[^(]+)\((?P<types>.*?)\)['\"]"
)

_OVER = re.compile(r"Window functions are not supported here")

# Messages that are not in the words of SQL, or say too much.
_PLAINER = (
    (re.compile(r"UNNEST requires a single list.*"), "UNNEST takes a list"),
    (re.compile(r"(\w+) clause cannot contain ([a-z ]+)!"), r"\1 cannot contain \2"),
    (re.compile(r"More than one row returned .*"), "a subquery that stands for one value has several rows"),
    (re.compile(r"Failed to parse format specifier.*: (\S+)$"), r"\1 is no part of a format"),
    (re.compile(r"QUANTILE can only take.*"), "the percentage is not from 0 to 1"),
    (re.compile(r"Lists larger than \S+ elements.*"), "a list of more than 4294967296 elements"),
    (re.compile(r"extract specifier \"(.*)\" not recognized"), r"\1 is no part of a time"),
    (re.compile(r"Sample sample_size .*"), "a sample is from 0 to 100 percent"),
    (re.compile(r"Invalid UTF8 Codepoint (\S+)"), r"\1 is no code point"),
    (re.compile(r"(\w+) term out of range - should be between (1 and \d+)"), r"\1 takes columns between \2"),
)

_TARGET = re.compile(r"(?: to (?:type )?|does not fit )(?P<type>[A-Z][A-Z0-9_]*(?:\([0-9, ]+\))?)")
_PARTS_NAMED_MAX = 3

# Messages that DuckDB gives no place for, and the part of its SQL that they are about.
_ABOUT = (
    (r"Set operations", r"\b(?:UNION|INTERSECT|EXCEPT)\b"),
    (r"QUANTILE", r"\b(?:APPROX_)?QUANTILE\w*\("),
    (r"escape string|escape character", r"\bESCAPE\b"),
    (r"Frame ", r"\b(?:ROWS|RANGE|GROUPS) BETWEEN\b"),
    (r"Codepoint", r"\bCHR\("),
    (r"hex digit", r"\b(?:FROM_HEX|UNHEX)\("),
    (r"[Bb]ase64", r"\bFROM_BASE64\("),
    (r"format specifier", r"\b(?:STRPTIME|STRFTIME|TRY_STRPTIME)\("),
    (r"map key", r"\bMAP\("),
    (r"LIMIT|OFFSET", r"\b(?:LIMIT|OFFSET)\b"),
    (r"GROUP BY term", r"\bGROUP BY\b"),
    (r"window \S+ does not exist", r"\bOVER\b"),
    (r"ntile", r"\bNTILE\("),
    (r"More than one row returned", r"\(\s*SELECT\b"),
    (r"DISTINCT requires", r"\bDISTINCT\)"),
    (r"Sample sample_size", r"\bTABLESAMPLE\b"),
    (r"extract specifier", r"\bEXTRACT\("),
    (r"Lists larger", r"\b(?:REPEAT|RANGE|GENERATE_SERIES)\("),
    (r"[Mm]alformed JSON", r"\bJSON(?:_\w+)?\b"),
    (r"format string|printf|type specifier", r"\bPRINTF\("),
)
_TEXT = re.compile(r"Could not convert string (?P<text>'.*?') to ")

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul)
_RISKS: dict[type[exp.Expr], Risk] = {
    exp.Cast: Risk.CAST,
    **dict.fromkeys((exp.Div, exp.IntDiv, exp.Mod), Risk.DIVISION),
    **dict.fromkeys((*_ARITHMETIC, exp.Sum), Risk.OVERFLOW),
    **dict.fromkeys((exp.StrToTime, exp.ParseDatetime), Risk.PARSE),
    **dict.fromkeys((exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace, exp.RegexpSplit), Risk.PATTERN),
}


def find_risks(tree: SqlTree) -> tuple[RiskyPart, ...]:
    """Each part of the user's text that can fail while the query runs, with its place."""
    found: dict[RiskyPart, None] = {}
    for node in tree.statement.walk():
        risk = _RISKS.get(type(node))
        if risk is None or _is_inner(node) or node.find_ancestor(exp.Try):
            continue
        if not any("start" in part.meta for part in node.walk()):
            continue
        of = node.to.sql(dialect="duckdb") if isinstance(node, exp.Cast) else ""
        found[RiskyPart(risk, tree.place(node), tree.readable(node), of)] = None
    return tuple(found)


def error_position(said: str, sql: str) -> range | None:
    """The characters of DuckDB's SQL that an error is about.

    Args:
        said: What DuckDB says to EXPLAIN and the SQL.
        sql: DuckDB's SQL.
    """
    located = _LOCATION.search(said)
    if located is None:
        return None
    start, length = int(located["start"]) - len(EXPLAIN), int(located["length"])
    octets = sql.encode()  # DuckDB counts in UTF-8
    return range(len(octets[:start].decode()), len(octets[: start + length].decode()))


def engine_error(
    said: str, sql: str = "", clues: Clues = NO_CLUES, position: range | None = None
) -> SqlError:
    """The error for a message of DuckDB, such as `Conversion Error: Could not convert …`.

    Args:
        said: The message.
        sql: DuckDB's SQL that it is about.
        clues: What tells where in the user's text it comes from.
        position: The characters of DuckDB's SQL that it is about, if they are known.
    """
    found = _KIND.match(_without_json(said.strip()))
    kind, text = (found["kind"], found["text"]) if found else ("", said.strip())
    message = _plain(text)
    parts = clues.risky_parts
    at = _source_place(sql, clues, message, position)
    call = _NO_FUNCTION.search(message)
    if call:
        name = at.word.upper() if at and at.word and call["name"].isidentifier() else call["name"]
        message = f"{name} does not take {_types(call['types'])}"
    for words, plainer in _PLAINER:
        message = words.sub(plainer, message)
    message = _OVER.sub(f"{at.word.upper() if at else 'this'} needs OVER (…) here", message)
    rule = next((rule for rule in _RULES if rule.kind == kind and re.search(rule.pattern, text)), None)
    message = _with_type(message, rule, parts)
    place, part = _place(message, rule, parts) if rule else (None, "")
    if not place and at and kind != "Out of Memory":
        place = at.place
    if rule is None:
        return SqlError(f"{part}{message}", place=place)
    has_casts = not sql or any(part.risk is Risk.CAST for part in parts)
    hint = rule.hint if has_casts or rule.hint != _TRY_CAST else _OF_THAT_TYPE
    return rule.error(f"{part}{message}", place=place, hint=hint)


def _without_json(said: str) -> str:
    """DuckDB writes some errors as `Binder Error: {"exception_message": "…", …}`."""
    head, brace, rest = said.partition('{"exception_type"')
    if not brace:
        return said
    try:
        found, _ = json.JSONDecoder().raw_decode(brace + rest)
    except ValueError:
        return said
    return f"{head}{found['exception_message']}"


def _place(message: str, rule: _Rule, parts: Sequence[RiskyPart]) -> tuple[Place | None, str]:
    """The parts that the message can be about: the place of the first, and the texts of all.

    None and "" if there is none, or more than three.
    """
    if not rule.risks:
        return None, ""
    suspects = [part for part in parts if part.risk in rule.risks]
    target = _TARGET.search(message)
    same_type = [part for part in suspects if target and part.type == target["type"]]
    suspects = same_type or [part for part in suspects if part.risk is rule.risks[0]]
    if len(suspects) > 1:
        named = [part for part in suspects if message.partition(":")[0].strip() in _words(part.text)]
        suspects = named or suspects
    suspects = [
        part for part in suspects if not any(part.text in other.text for other in suspects if other != part)
    ]
    if not suspects or len(suspects) > _PARTS_NAMED_MAX:
        return None, ""
    first, *others = suspects
    return first.place, first.text + "".join(f" or {part.place}: {part.text}" for part in others) + ": "


def _with_type(message: str, rule: _Rule | None, parts: Sequence[RiskyPart]) -> str:
    """The type of the cast: DuckDB reads a time in text as a BIGINT first, and names that."""
    casts = {part.type for part in parts if part.risk is Risk.CAST}
    target = _TARGET.search(message)
    if (
        rule is None
        or Risk.CAST not in rule.risks
        or target is None
        or len(casts) != 1
        or target["type"] in casts
    ):
        return message
    return message.replace(target[0], f" to {next(iter(casts))}") if target["type"] == "BIGINT" else message


def _types(names: str) -> str:
    return f"({names})" if names else "no arguments"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _plain(text: str) -> str:
    """One line in the words of SQL, after the expression that it is about."""
    line = _ENGINE_TALK.sub("", text, count=1).strip() or text.strip().split("\n")[0]
    for engine_type, sql_type in _ENGINE_TYPES.items():
        line = re.sub(rf"\b{engine_type}\b", sql_type, line)
    line = (
        line.replace(NOT_READ, "").replace(" // ", " / ").removesuffix(".")
    )  # DuckDB's sign for dividing whole numbers
    line = _OUT_OF_RANGE.sub(r"\1 does not fit \2", line)
    column = _FROM_COLUMN.search(line)
    return f"{column['column'].strip()}: {line[: column.start()]}" if column else line


def _source_place(sql: str, clues: Clues, message: str, position: range | None) -> EnginePlace | None:
    """The part of the user's text that an error is about; None if it could be several."""
    if position is None:
        part = _only_part(sql, message)
        places = clues.places if part else ()
        after = [one for one in places if part and one.offset >= part.start]
        return after[0] if after else places[-1] if places else None
    inside = [one for one in clues.places if position.start <= one.offset < position.stop]
    before = [one for one in clues.places if one.offset <= position.start]
    return inside[0] if inside else before[-1] if before else None


def _only_part(engine_sql: str, message: str) -> range | None:
    text = _TEXT.search(message)
    for about, part in ((_TEXT, re.escape(text["text"])),) if text else _ABOUT:
        if re.search(about, message):
            found = list(re.finditer(part, engine_sql))
            return range(*found[0].span()) if len(found) == 1 else None
    return None


def _is_inner(node: exp.Expr) -> bool:
    """Whether it is a term of a longer sum or product: of `a + b + c` only the whole is named."""
    outer = node.parent
    while isinstance(outer, exp.Paren):
        outer = outer.parent
    return isinstance(node, _ARITHMETIC) and isinstance(outer, _ARITHMETIC)
