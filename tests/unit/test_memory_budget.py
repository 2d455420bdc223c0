import asyncio

import pytest

from logdrain.errors import StoreBusy
from logdrain.memory_budget import MemoryBudget

SMALL, LARGE = 400, 1080


def budget_of(size_bytes: int) -> MemoryBudget:
    return MemoryBudget(size_bytes, "full", lambda _: None)


def test_a_reservation_grows_and_returns_all() -> None:
    used: list[int] = []
    budget = MemoryBudget(10, "too many bodies", used.append)
    with budget.reservation() as reservation:
        reservation.grow(4)
        reservation.grow(6)
        with pytest.raises(StoreBusy, match="too many bodies"):
            budget.take(1)
    budget.take(10)
    assert used == [4, 10, 0, 10]


async def test_a_waiter_gives_up_in_time() -> None:
    budget = budget_of(400)
    async with budget.reserve(SMALL, 10):
        with pytest.raises(StoreBusy):
            async with budget.reserve(SMALL, 0.01):
                pass
    async with budget.reserve(SMALL, 10):
        pass


async def test_a_request_above_the_budget_is_served_alone_and_in_turn() -> None:
    budget = budget_of(800)
    order: list[str] = []
    first_may_end = asyncio.Event()

    async def use(name: str, size_bytes: int, until: asyncio.Event | None = None) -> None:
        async with budget.reserve(size_bytes, 10):
            order.append(name)
            if until:
                await until.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(use("first", SMALL, first_may_end))
        tasks.create_task(use("heavy", LARGE))
        tasks.create_task(use("small", SMALL))  # there are bytes left, but its turn comes after the heavy one
        asyncio.get_running_loop().call_later(0.01, first_may_end.set)
    assert order == ["first", "heavy", "small"]


async def test_a_cancelled_waiter_lets_others_pass() -> None:
    budget = budget_of(800)
    async with budget.reserve(SMALL, 10):
        heavy = asyncio.create_task(budget.reserve(LARGE, 10).__aenter__())
        small = asyncio.create_task(budget.reserve(SMALL, 10).__aenter__())
        await asyncio.sleep(0)
        heavy.cancel()
        await asyncio.wait_for(small, 10)
    assert heavy.cancelled()
