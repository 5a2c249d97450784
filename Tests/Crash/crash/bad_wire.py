"""Workers whose connections are cut, delayed, stalled and refused all the time, while the server is well: no effect is
lost, and none is doubled."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import kafka
from .killer import Kill, Killer
from .matrix import Matrix, Settings
from .wire import Wire
from .world import World

END = "the end of it"


class Cutter(Killer):
    """Makes wires bad, again and again, in an order, at moments and in ways that a seed chooses."""

    KINDS: tuple[str, ...] = ("cut", "cut within a frame", "stall", "delay", "refuse")

    def __init__(self, world: World, wires: list[Wire], seed: int, seconds: float) -> None:
        super().__init__(world, seed, 0)
        self.wires, self.seconds = wires, seconds
        self.random = random.Random(f"wires {seed}")
        self.details = random.Random(f"details {seed}")
        """Another source of chance, for choices whose number depends on the connections that there are."""
        self.done: Counter[str] = Counter()

    async def run(self) -> None:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            await asyncio.sleep(self.random.uniform(0.05, 1.0))
            wires, kind, seconds = self.choose()
            await self.until_in_flight()
            self.note(f"{kind} of {len(wires)} wires for {seconds:.1f} s")
            self.done[kind] += 1
            await self.spoil(wires, kind, seconds)
        await self.until_well()

    def choose(self) -> tuple[list[Wire], str, float]:
        """Which wires, how, and for how many seconds."""
        wires = self.random.choice([self.wires, *([wire] for wire in self.wires)])
        return wires, self.random.choice(self.KINDS), self.random.uniform(0.1, 2.5)

    def note(self, kind: str) -> Kill:
        """Also in a file beside the logs of the programs."""
        # At the end, there may be nothing in flight.
        in_flight = self.world.in_flight if kind != END else max(1, self.world.in_flight)
        self.kills.append(Kill(len(self.kills) + 1, kind, time.time(), in_flight))
        with (self.world.folder / "wires.log").open("a") as log:
            log.write(f"{time.time():.3f} {kind}\n")
        return self.kills[-1]

    async def until_well(self) -> None:
        for wire in self.wires:
            wire.delay, wire.is_refusing, wire.is_dropping = 0, False, False
        await self.until_it_works(self.note(END))

    async def spoil(self, wires: list[Wire], kind: str, seconds: float) -> None:
        connections = [connection for wire in wires for connection in wire.connections]
        if kind == "cut":
            for connection in connections:
                connection.cut()
        elif kind == "cut within a frame":
            for connection in connections:
                connection.left = self.details.randrange(1, 2_000)
        elif kind == "stall":
            for connection in connections:
                connection.goes_on.clear()
            await asyncio.sleep(seconds)
            for connection in connections:
                connection.goes_on.set()
        elif kind == "delay":
            for wire in wires:
                wire.delay = self.details.uniform(0.01, 0.5)
            await asyncio.sleep(seconds)
            for wire in wires:
                wire.delay = 0
        elif kind == "drop":
            await self.drop(wires, seconds)
        else:
            for wire in wires:
                wire.is_refusing = True
            for connection in connections:
                connection.cut()
            await asyncio.sleep(seconds)
            for wire in wires:
                wire.is_refusing = False

    async def drop(self, wires: list[Wire], seconds: float) -> None:
        """Nobody hears that anything is lost, until the connections that lost something are cut."""
        for wire in wires:
            wire.is_dropping = True
        await asyncio.sleep(seconds)
        for wire in wires:
            wire.is_dropping = False
            for connection in list(wire.connections):
                if connection.has_gap:
                    connection.cut()


@dataclass
class BadWires(Matrix):
    """The bookings of the matrix, with bad wires instead of kills."""

    wires: list[Wire] | None = None
    seconds: float = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        self.killer = Cutter(self.world, self.wires or [], self.settings.seed, self.seconds)

    def summary(self) -> str:
        assert isinstance(self.killer, Cutter)
        kinds = ", ".join(f"{count} times {kind}" for kind, count in sorted(self.killer.done.items()))
        carried = sum(wire.carried for wire in self.wires or [])
        return f"{kinds}; {carried >> 10} KiB carried; " + super().summary()


async def run(folder: Path, settings: Settings, seconds: float) -> tuple[list[str], str]:
    """Bookings beside bad wires; what is wrong, and a summary."""
    world = World(folder, with_kafka=kafka.missing() is None)
    wires = [Wire(worker.address) for worker in world.workers]
    try:
        for worker, wire in zip(world.workers, wires, strict=True):
            await wire.start()
            worker.address = wire.address
        await world.start()
        matrix = BadWires(world, settings, wires=wires, seconds=seconds)
        problems = await matrix.run()
        if sum(wire.carried for wire in wires) == 0:
            problems.append("no byte went over the wires: nothing was checked")
        await world.stop()
        for wire in wires:
            await wire.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
