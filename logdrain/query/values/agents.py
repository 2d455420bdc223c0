"""TD functions of user agents. The catalogs of browsers are the extra `logdrain[agents]`."""

import json
from functools import lru_cache
from types import ModuleType

try:
    import ua_parser
    import woothee
except ImportError:
    _parser: ModuleType | None = None
    _woothee: ModuleType | None = None
else:
    _parser, _woothee = ua_parser, woothee

HAS_AGENTS = _parser is not None and _woothee is not None

OPTIONS = {
    "os": ("os", ""),
    "os_family": ("os", "family"),
    "os_major": ("os", "major"),
    "os_minor": ("os", "minor"),
    "ua": ("user_agent", ""),
    "ua_family": ("user_agent", "family"),
    "ua_major": ("user_agent", "major"),
    "ua_minor": ("user_agent", "minor"),
    "device": ("device", ""),
}
"""TD_PARSE_USER_AGENT's option -> the part of the answer, and the field in it."""

_PARTS = {
    "user_agent": ("family", "major", "minor", "patch"),
    "os": ("family", "major", "minor", "patch", "patch_minor"),
    "device": ("family",),
}


@lru_cache(maxsize=8_192)  # columns have few agents many times
def classified(agent: str) -> dict[str, str] | None:
    """What uap-core says: one part (`ua_family`), or JSON of several (`os`; of all for "")."""
    return dict(_woothee.parse(agent)) if _woothee is not None else None


@lru_cache(maxsize=8_192)
def described(agent: str, option: str) -> str | None:
    """What uap-core says about an agent: one part (`ua_family`), or JSON of several (`os`; all for "")."""
    if _parser is None:
        return None
    found = _parser.parse(agent).with_defaults()
    parts = {
        name: {field: getattr(getattr(found, name), field) or "" for field in fields}
        for name, fields in _PARTS.items()
    }
    if not option:
        return json.dumps(parts)
    part, field = OPTIONS[option]
    return parts[part][field] if field else json.dumps(parts[part])
