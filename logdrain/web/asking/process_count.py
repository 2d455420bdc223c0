"""How many query processes there are room for."""

import os
from contextlib import suppress
from pathlib import Path

from logdrain.config import Settings

_NEEDED_BYTES = 2**30
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def process_count(settings: Settings) -> int:
    """What LOGDRAIN_QUERY_PROCESSES says; `auto` is one where the memory has room for it."""
    if settings.query_processes is not None:
        return settings.query_processes
    return 1 if memory_bytes() >= _NEEDED_BYTES else 0


def memory_bytes() -> int:
    """What this process and its children may use: the machine's memory, or less in a container."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in _LIMITS:
        with suppress(OSError, ValueError):  # no container, or `max`
            sizes.append(int(limit.read_text(encoding="ascii")))
    return min(sizes)
