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
    (r"[Mm]alformed JSON", r"\bJSON(?:_\w+)?\b"),
    (r"format string|printf|type specifier", r"\bPRINTF\("),
)


def source_place(plan: Plan, message: str, position: range | None) -> EnginePlace | None:
    """The part of the user's text that an error is about; None where it could be several."""
    if position is None:
        part = _only_part(plan.engine_sql, message)
        nearest = sorted(plan.engine_places, key=lambda one: abs(one.offset - part.start)) if part else []
        return nearest[0] if nearest else None
    inside = [one for one in plan.engine_places if position.start <= one.offset < position.stop]
    before = [one for one in plan.engine_places if one.offset <= position.start]
    return inside[0] if inside else before[-1] if before else None


def _only_part(engine_sql: str, message: str) -> range | None:
    for about, part in _ABOUT:
        if re.search(about, message):
            found = list(re.finditer(part, engine_sql))
            return range(*found[0].span()) if len(found) == 1 else None
    return None
