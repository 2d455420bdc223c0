"""Why a server died, from the end of its log. Pure."""

import json

_LINES = 5
_LINE_CHARS = 500
_GRAVE = {"E", "F"}  # severities of mongod's structured log


def tell_why(log: str) -> str:
    """The telling last lines of a log, joined by ` | `, or "" where the log is empty.

    mongod says why it stops long before its last line: of its JSON log lines the grave ones are taken.
    Source: MongoDB manual, "Log Messages" (fields `s`, `msg`, `attr`).
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    grave = [told for told in map(_grave_line, lines) if told]
    return " | ".join(line[:_LINE_CHARS] for line in (grave or lines)[-_LINES:])


def _grave_line(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(entry, dict) or entry.get("s") not in _GRAVE:
        return ""
    details = entry.get("attr")
    return f"{entry.get('msg', '')} {json.dumps(details) if details else ''}".strip()
