"""Workers whose connections are cut, delayed, stalled and refused all the time, while the server is well: no effect is
lost, and none is doubled."""

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import kafka
from .killer import Kill, Killer
from .matrix import Matrix, Settings
from .part import free_port
from .world import World


class Wire:
    """Carries bytes between a worker and an address, badly when told to."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self.target = (host, int(port))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.connections: set[Connection] = set()
        self.server: asyncio.Server | None = None
        self.delay = 0.0
        """Seconds that bytes wait."""
        self.is_refusing = False
        self.carried = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self.server:
            self.server.close()
        for connection in list(self.connections):
            connection.cut()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, writer)
        self.connections.add(connection)
        try:
            if self.is_refusing:
                return
            other_reader, other = await asyncio.open_connection(*self.target)
            connection.other = other
            await asyncio.gather(
                connection.carry(reader, other), connection.carry(other_reader, writer), return_exceptions=True
            )
        except OSError:
            pass
        finally:
            connection.cut()
            self.connections.discard(connection)


class Connection:
    def __init__(self, wire: Wire, writer: asyncio.StreamWriter) -> None:
        self.wire, self.writer = wire, writer
        self.other: asyncio.StreamWriter | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.left: int | None = None
        """Bytes after which it is cut, perhaps within a frame."""

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 14):
            if self.wire.delay:
                await asyncio.sleep(self.wire.delay)
            await self.goes_on.wait()
            if self.left is not None:
                data, self.left = data[: self.left], self.left - len(data)
            target.write(data)
            self.wire.carried += len(data)
            if self.left is not None and self.left <= 0:
                await target.drain()
                return self.cut()
            await target.drain()
        self.cut()

    def cut(self) -> None:
        """Ends it at once on both sides, with a reset."""
        for writer in (self.writer, self.other):
            if writer is None or writer.is_closing():
                continue
            with contextlib.suppress(OSError):
                end = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.goes_on.set()


class Cutter(Killer):
    """Makes wires bad, again and again, in an order, at moments and in ways that a seed chooses."""

    KINDS = ("cut", "cut within a frame", "stall", "delay", "refuse")

    def __init__(self, world: World, wires: list[Wire], seed: int, seconds: float) -> None:
        super().__init__(world, seed, 0)
        self.wires, self.seconds = wires, seconds
        self.random = random.Random(f"wires {seed}")
        self.done: Counter[str] = Counter()

    async def run(self) -> None:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            await asyncio.sleep(self.random.uniform(0.05, 1.0))
            wires = self.random.choice([self.wires, *([wire] for wire in self.wires)])
            kind, seconds = self.random.choice(self.KINDS), self.random.uniform(0.1, 2.5)
            if self.world.in_flight == 0:
                await self.world.until("no saga is in flight", lambda: self.world.in_flight > 0, 45)
            self.kills.append(Kill(len(self.kills) + 1, kind, time.time(), self.world.in_flight))
            self.done[kind] += 1
            await self.spoil(wires, kind, seconds)
        for wire in self.wires:
            wire.delay, wire.is_refusing = 0, False
        self.kills.append(Kill(len(self.kills) + 1, "the end of it", time.time(), max(1, self.world.in_flight)))
        await self.until_it_works(self.kills[-1])

    async def spoil(self, wires: list[Wire], kind: str, seconds: float) -> None:
        connections = [connection for wire in wires for connection in wire.connections]
        if kind == "cut":
            for connection in connections:
                connection.cut()
        elif kind == "cut within a frame":
            for connection in connections:
                connection.left = self.random.randrange(1, 2_000)
        elif kind == "stall":
            for connection in connections:
                connection.goes_on.clear()
            await asyncio.sleep(seconds)
            for connection in connections:
                connection.goes_on.set()
        elif kind == "delay":
            for wire in wires:
                wire.delay = self.random.uniform(0.01, 0.5)
            await asyncio.sleep(seconds)
            for wire in wires:
                wire.delay = 0
        else:
            for wire in wires:
                wire.is_refusing = True
            for connection in connections:
                connection.cut()
            await asyncio.sleep(seconds)
            for wire in wires:
                wire.is_refusing = False


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
