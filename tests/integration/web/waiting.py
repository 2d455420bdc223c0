"""Waiting for what goes on in the background."""

import asyncio
from collections.abc import Callable

_WITHIN_S = 30.0
_POLL_S = 0.02


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; asked in a thread, since it may ask a server."""
    async with asyncio.timeout(_WITHIN_S):
        while True:
            if await asyncio.to_thread(condition):
                return
            await asyncio.sleep(_POLL_S)
