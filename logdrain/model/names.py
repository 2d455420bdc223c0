"""What somebody probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_hint(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean 'x'?` for the known name nearest to `name`, or `otherwise` where none is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise
