"""What somebody probably meant: one way to find it, one wording."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """The known name that looks most like this one, in capitals or not; "" where none is near."""
    by_lower = {each.lower(): str(each) for each in known}
    near = get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[near[0]] if near else ""


def did_you_mean(name: str) -> str:
    """The hint with a name."""
    return f"did you mean {name!r}?"


def nearest_hint(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """`did you mean 'x'?` for the known name nearest to `name`, or `otherwise` where none is near."""
    near = nearest(name, known)
    return did_you_mean(near) if near else otherwise
