"""From a place in the engine's SQL to the place in the user's text."""

import re

from logdrain.model.plans import EnginePlace, Plan

# What the engine says without a place, and the part of its SQL that it is about.
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


def source_place(plan: Plan, message: str, position: range | None) -> EnginePlace | None:
    """The part of the user's text that an error is about; None where it could be several."""
    if position is None:
        part = _only_part(plan.engine_sql, message)
        places = plan.engine_places if part else ()
        after = [one for one in places if part and one.offset >= part.start]
        return after[0] if after else places[-1] if places else None
    inside = [one for one in plan.engine_places if position.start <= one.offset < position.stop]
    before = [one for one in plan.engine_places if one.offset <= position.start]
    return inside[0] if inside else before[-1] if before else None


def _only_part(engine_sql: str, message: str) -> range | None:
    text = _TEXT.search(message)
    for about, part in ((_TEXT, re.escape(text["text"])),) if text else _ABOUT:
        if re.search(about, message):
            found = list(re.finditer(part, engine_sql))
            return range(*found[0].span()) if len(found) == 1 else None
    return None
