"""The only place that picks implementations: settings in, ready parts out.

One file for what is opened together: a command loads the drivers and engines that it needs, and no others.
"""

from logdrain.errors import NotRunning


def require(value: str, name: str) -> str:
    """A setting that this command cannot do without.

    Raises:
        NotRunning: it is empty.
    """
    if not value:
        raise NotRunning(f"{name} is not set", hint=f"set {name}, or start everything with `logdrain up`")
    return value
