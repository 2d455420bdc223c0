"""Carries a plan of faults out."""

import asyncio
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from logdrain.sandbox.process_server import SandboxServer
from tests.chaos.plan import LINKS, MONGOD, POSTGRES, Fault, Kind
from tests.chaos.servers import hurt, is_running, kill, start
from tests.chaos.world import World

_REVIVE_EVERY_S = 0.3


@dataclass
class Breaker:
    """Breaks a world by plan, and keeps its log."""

    world: World
    random: Random
    log: list[str] = field(default_factory=list)
    done: Counter[Kind] = field(default_factory=Counter)
    _started_s: float = 0.0
    _down: set[str] = field(default_factory=set)
    _one_at_a_time: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def carry_out(self, plan: Sequence[Fault]) -> None:
        """Begin and undo every fault at its time."""
        self._started_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in plan:
                group.create_task(self._one(fault))

    async def keep_reviving(self) -> None:
        """Start programs again that end by themselves, as a platform does, until cancelled."""
        while True:
            await asyncio.sleep(_REVIVE_EVERY_S)
            for name, program in self.world.programs.items():
                if name not in self._down:
                    program.revive()

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_s)
        async with self._one_at_a_time[fault.target]:  # starting again may take longer than planned
            await self._do(fault)

    async def _do(self, fault: Fault) -> None:
        self._note(fault)
        if fault.target in LINKS:
            await self._break_link(fault)
        elif fault.kind is Kind.FULL_DISK:
            await self._fill_disk(fault)
        elif fault.target in self.world.programs:
            await self._break_program(fault)
        else:
            await self._break_server(fault)

    def _note(self, fault: Fault) -> None:
        self.done[fault.kind] += 1
        amount = f" by {fault.amount_s:+.1f} s" if fault.amount_s else ""
        now_s = time.monotonic() - self._started_s
        self.log.append(f"{now_s:7.2f} s  {fault.kind} {fault.target}{amount} for {fault.for_s:.2f} s")

    async def _break_link(self, fault: Fault) -> None:
        link = self.world.links[fault.target]
        if fault.kind is Kind.HALF_CLOSE:
            link.half_close()
            return
        link.is_cut = fault.kind is Kind.CUT
        link.loses_answers = fault.kind is Kind.LOSE_ANSWERS
        link.delay_s = fault.amount_s
        if link.is_cut:
            link.reset()
        await asyncio.sleep(fault.for_s)
        link.heal()

    async def _fill_disk(self, fault: Fault) -> None:
        disk = self.world.disks[fault.target]
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(fault.for_s)
        disk.clear()
        if fault.target == MONGOD:  # it gives up where it cannot write
            for server in self.world.mongods.servers:
                await start(server)

    async def _break_program(self, fault: Fault) -> None:
        program = self.world.programs[fault.target]
        if fault.kind is Kind.KILL:
            self._down.add(fault.target)
            program.kill()
            await asyncio.sleep(fault.for_s)
            program.start()
            self._down.discard(fault.target)
        elif fault.kind is Kind.HANG:
            program.hang()
            await asyncio.sleep(fault.for_s)
            program.resume()
        else:
            program.step_clock(fault.amount_s)
            await asyncio.sleep(fault.for_s)
            program.step_clock(0.0)

    async def _break_server(self, fault: Fault) -> None:
        world = self.world
        if fault.kind is Kind.STEP_DOWN:
            await asyncio.to_thread(world.mongods.step_down)
            return
        server: SandboxServer = world.postgres
        if fault.target != POSTGRES:
            server = await asyncio.to_thread(world.mongods.victim, self.random)
        if fault.kind is Kind.KILL:
            await kill(server)
            await asyncio.sleep(fault.for_s)
            await start(server)
        else:
            hurt(server, signal.SIGSTOP)
            await asyncio.sleep(fault.for_s)
            hurt(server, signal.SIGCONT)


def unexpected_deaths(world: World) -> list[str]:
    """Programs and servers that do not run although nothing hurts them any more."""
    servers = [*world.mongods.servers, world.postgres]
    gone = [server.name for server in servers if not is_running(server)]
    return gone + [
        name
        for name, program in world.programs.items()
        if program.process is None or program.process.poll() is not None
    ]
