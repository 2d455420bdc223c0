"""Work over many things: beside the event loop, so that other deliveries go on meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

# So many are done in a few milliseconds, which is less than what a thread costs others.
_HERE_MAX = 500

_Result = TypeVar("_Result")


async def run_in_thread_if_large(count: int, work: Callable[[], _Result]) -> _Result:
    """Do the work, in a thread if it is over more than a few things."""
    return await asyncio.to_thread(work) if count > _HERE_MAX else work()
