"""A process that appends to a spool and says what was acknowledged, until it is killed or the disk is full.

usage: spool_appender.py FOLDER FIRST SEED [FILE_SIZE_MAX_BYTES]
"""

import asyncio
import random
import resource
import sys
from pathlib import Path

from logdrain.errors import SpoolUnavailable
from logdrain.model.events import Delivery
from logdrain.model.spool import Spooled
from logdrain.spool.folder_spool import FolderSpool

CALLERS = 8


def make(number: int, seed: int) -> Spooled:
    """The delivery of a number: the reader of the folder makes it again."""
    size = random.Random(seed * 1_000_003 + number).randrange(20_000)  # noqa: S311  # repeatable
    return Spooled(Delivery("app", str(number), "", 1), b"%d " % number * (size // 4), "")


async def append_for_ever(folder: Path, first: int, seed: int) -> None:
    """Print `acknowledged N` behind each append, and why an append was refused."""
    spool = FolderSpool(folder, size_max_bytes=2**30, segment_size_bytes=256 * 1024)
    numbers = iter(range(first, 2**62))
    refusals = 0

    async def call() -> None:
        nonlocal refusals
        while refusals < CALLERS:
            number = next(numbers)
            try:
                await spool.append(make(number, seed))
            except SpoolUnavailable as error:
                refusals += 1
                print(f"refused {number} {error}", flush=True)  # noqa: T201  # what the test reads
            else:
                print(f"acknowledged {number}", flush=True)  # noqa: T201  # what the test reads

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    await spool.close()


if __name__ == "__main__":
    if sys.argv[4:]:
        size_max_bytes = int(sys.argv[4])
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_max_bytes, size_max_bytes))
    asyncio.run(append_for_ever(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
