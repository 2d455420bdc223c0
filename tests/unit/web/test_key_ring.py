import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from logdrain.errors import LedgerUnavailable
from logdrain.model.keys import Key, Scope, digest
from logdrain.web.server.key_ring import KeyRing

FIXED = Key(Scope.DRAIN, "fixed", digest(b"fixed"))
STORED = Key(Scope.DRAIN, "stored", digest(b"stored"))
NEVER_S = 3600.0


class Postgres:
    """What a reading finds, as the test has it."""

    def __init__(self) -> None:
        self.keys: tuple[Key, ...] = (STORED,)
        self.is_away = False
        self.readings = 0

    def read(self) -> tuple[Key, ...]:
        self.readings += 1
        if self.is_away:
            raise LedgerUnavailable("away")
        return self.keys


@asynccontextmanager
async def kept(
    read: Callable[[], tuple[Key, ...]], *, refresh_s: float, gap_s: float
) -> AsyncIterator[KeyRing]:
    ring = KeyRing((FIXED,), read, refresh_s=refresh_s, gap_s=gap_s)
    task = asyncio.create_task(ring.keep_fresh())
    yield ring
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110  # the ring has no event that tells
            await asyncio.sleep(0)


async def test_without_postgres_the_keys_are_those_of_the_environment() -> None:
    ring = KeyRing((FIXED,), None, refresh_s=NEVER_S)
    await ring.keep_fresh()
    assert await ring.ask_again()
    assert ring.keys == (FIXED,)


async def test_asking_again_reads_what_is_there_now() -> None:
    postgres = Postgres()
    async with kept(postgres.read, refresh_s=NEVER_S, gap_s=0.0) as ring:
        assert await ring.ask_again()
        assert list(ring.keys) == [FIXED, STORED]
        postgres.keys = ()
        assert await ring.ask_again()
        assert list(ring.keys) == [FIXED]


async def test_a_revoked_key_goes_with_the_next_reading() -> None:
    postgres = Postgres()
    async with kept(postgres.read, refresh_s=0.001, gap_s=0.0) as ring:
        await until(lambda: STORED in ring.keys)
        postgres.keys = ()
        await until(lambda: STORED not in ring.keys)


async def test_while_postgres_is_away_the_keys_read_last_stay(capfd: pytest.CaptureFixture[str]) -> None:
    postgres = Postgres()
    async with kept(postgres.read, refresh_s=0.001, gap_s=0.0) as ring:
        await until(lambda: STORED in ring.keys)
        postgres.is_away = True
        assert not await ring.ask_again()
        assert not await ring.ask_again()
        assert ring.keys == (FIXED, STORED)
        postgres.is_away = False
        assert await ring.ask_again()
    said = capfd.readouterr().err
    assert said.count("event=keys_not_read") == 1
    assert said.count("event=keys_read") == 1


async def test_many_strangers_share_a_reading() -> None:
    postgres = Postgres()
    async with kept(postgres.read, refresh_s=NEVER_S, gap_s=0.0) as ring:
        assert all(await asyncio.gather(*(ring.ask_again() for _ in range(500))))
    assert postgres.readings <= 2


async def test_a_stranger_who_comes_during_a_reading_waits_for_the_next() -> None:
    """What that one reads may be older than the key."""
    postgres = Postgres()
    goes_on = threading.Event()

    def slow() -> tuple[Key, ...]:
        found = postgres.read()
        goes_on.wait(20)
        return found

    async with kept(slow, refresh_s=NEVER_S, gap_s=0.0) as ring:
        await until(lambda: postgres.readings == 1)
        asking = asyncio.create_task(ring.ask_again())
        await asyncio.sleep(0)
        goes_on.set()
        assert await asking
    assert postgres.readings == 2
