"""Priorities as td names them."""

_NAMES = {"very-low": -2, "low": -1, "normal": 0, "high": 1, "very-high": 2}

PRIORITY_HINT = f"-2 to 2 or {', '.join(_NAMES)}"


def read_priority(value: object) -> int | None:
    """A number from -2 to 2, or td's word for it (`very-low` to `very-high`); None for anything else."""
    if isinstance(value, str):
        word = value.strip().lower().replace(" ", "-").replace("_", "-")
        numbers = {str(number): number for number in _NAMES.values()}
        return _NAMES.get(word, numbers.get(word))
    if isinstance(value, int) and not isinstance(value, bool) and value in _NAMES.values():
        return value
    return None
