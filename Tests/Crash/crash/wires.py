"""Wires on all connections of the server at once: to its workers and clients, to PostgreSQL and to Kafka. All of them
are cut, delayed, stalled, refused and lose bytes: no effect is lost, and none is doubled."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ports import free_port

from . import kafka
from .bad_wire import BadWires, Cutter
from .kafka import Kafka
from .matrix import Settings
from .sagamore import Server
from .wire import SocketWire, Wire
from .world import World


class WiredKafka(Kafka):
    """A broker with a second door, which tells whoever comes in there to come back by the wire."""

    def __init__(self, logs: Path) -> None:
        self.second_port = free_port()
        self.wire = Wire(f"127.0.0.1:{self.second_port}")
        super().__init__(logs)

    def settings(self) -> dict[str, str]:
        settings = super().settings()
        settings["listeners"] += f",WIRE://127.0.0.1:{self.second_port}"
        settings["advertised.listeners"] += f",WIRE://{self.wire.address}"
        settings["listener.security.protocol.map"] += ",WIRE:PLAINTEXT"
        return settings


class WiredServer(Server):
    """A server that meets everybody by wires. Its address is that of a wire."""

    def __init__(self, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__(logs, postgres, kafka_address)
        parameters = parse_qs(urlsplit(postgres).query)
        to_postgres = SocketWire(f"{parameters['host'][0]}/.s.PGSQL.5432")
        self.postgres = f"postgresql://{parameters['user'][0]}@{to_postgres.address}/postgres"
        to_server = Wire(self.address)
        self.address = to_server.address
        self.wires = {"gRPC": to_server, "PostgreSQL": to_postgres}

    def add_kafka(self, wire: Wire) -> None:
        self.kafka, self.wires["Kafka"] = wire.address, wire

    async def start(self) -> None:
        await asyncio.gather(*(wire.start() for wire in self.wires.values()))
        await super().start()

    async def stop(self, seconds: float = 20) -> None:
        await super().stop(seconds)
        await asyncio.gather(*(wire.stop() for wire in self.wires.values()))


@dataclass
class Trouble:
    """What is wrong with one wire, from some seconds after the beginning for some seconds."""

    wire: str
    kind: str
    start: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} of {self.wire} after {self.start:.1f} s for {self.seconds:.1f} s"


class AllAtOnce(Cutter):
    """Each time there is trouble with all wires: the same with each, another with each, or one is slow and the others
    are cut."""

    KINDS = (*Cutter.KINDS, "drop")

    def __init__(self, world: World, wires: dict[str, Wire], seed: int, seconds: float) -> None:
        super().__init__(world, list(wires.values()), seed, seconds)
        self.names = wires
        # Longer than a lease only when there is time for it.
        self.longest = 2.5 if seconds < 30 else 8.0

    async def run(self) -> None:
        end, patterns = time.monotonic() + self.seconds, list[Callable[[], list[Trouble]]]()
        while time.monotonic() < end:
            await asyncio.sleep(self.random.uniform(0.05, 1.0))
            if not patterns:
                patterns = self.random.sample([self.same, self.mixed, self.slow], 3)
            troubles = patterns.pop()()
            await self.until_in_flight()
            self.note(", ".join(map(str, troubles)))
            await asyncio.gather(*(self.trouble(each) for each in troubles))
        await self.until_well()

    def same(self) -> list[Trouble]:
        kind, seconds = self.random.choice(self.KINDS), self.random.uniform(0.1, self.longest)
        return [Trouble(name, kind, 0, seconds) for name in self.names]

    def mixed(self) -> list[Trouble]:
        """Something else with each wire."""
        return [
            Trouble(
                name,
                self.random.choice(self.KINDS),
                self.random.uniform(0, 0.5),
                self.random.uniform(0.1, self.longest),
            )
            for name in self.names
        ]

    def slow(self) -> list[Trouble]:
        """One wire is slow, and the others are cut meanwhile, again and again."""
        slow, seconds = self.random.choice(list(self.names)), self.random.uniform(1, self.longest)
        troubles = [Trouble(slow, "delay", 0, seconds)]
        for name in self.names:
            moment = self.random.uniform(0.2, 0.6)
            while name != slow and moment < seconds:
                troubles.append(Trouble(name, "cut", moment, 0))
                moment += self.random.uniform(0.3, 1)
        return troubles

    async def trouble(self, trouble: Trouble) -> None:
        await asyncio.sleep(trouble.start)
        self.done[trouble.kind] += 1
        await self.spoil([self.names[trouble.wire]], trouble.kind, trouble.seconds)


@dataclass
class AllBad(BadWires):
    """The bookings of the matrix, with all wires bad at once."""

    names: dict[str, Wire] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.wires = list(self.names.values())
        self.killer = AllAtOnce(self.world, self.names, self.settings.seed, self.seconds)


async def run(folder: Path, settings: Settings, seconds: float) -> tuple[list[str], str]:
    """Bookings beside bad wires everywhere; what is wrong, and a summary."""
    with_kafka = kafka.missing() is None
    world = World(folder, with_kafka=with_kafka, make_kafka=WiredKafka, make_server=WiredServer)
    try:
        server: WiredServer = world.server
        if isinstance(world.kafka, WiredKafka):
            server.add_kafka(world.kafka.wire)
        await world.start()
        matrix = AllBad(world, settings, names=server.wires, seconds=seconds)
        problems = await matrix.run()
        for name, wire in server.wires.items():
            if wire.carried == 0:
                problems.append(f"no byte went over the wire to {name}: nothing was checked")
        await world.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
