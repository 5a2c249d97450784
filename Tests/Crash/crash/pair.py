"""Two nodes on one database, one active and one waiting: killed, stopped in order, and paused. The other one takes
over, and a node that wakes up commits nothing and shows nothing any more."""

import asyncio
import contextlib
import random
import signal
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from . import kafka
from .bad_wire import Wire
from .killer import Kill, Killer
from .matrix import Matrix, Settings
from .part import Part, PartFailed, free_port
from .sagamore import BINARY, LOG_LEVEL
from .world import World

PATIENCE = 20.0
"""Seconds within which the other node has to take over. How long it takes is printed."""


class Node(Part):
    """`sagamore serve` with a configuration of its own. It is up when it runs; it serves when it is the active one."""

    kind = "node"

    def __init__(self, name: str, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__(name, logs)
        self.port, self.web_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.configuration = logs / f"{name}.yaml"
        lines = [f"node: {name}", "postgres:", f"  url: {postgres}", "grpc:", f"  port: {self.port}"]
        lines += ["http:", f"  port: {self.web_port}", "log:", f"  level: {LOG_LEVEL}", "  format: text"]
        if kafka_address:
            lines += ["kafka:", f"  bootstrap: {kafka_address}"]
        self.configuration.write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(BINARY), "serve", "--config", str(self.configuration)]

    def environment(self) -> dict[str, str]:
        return {"SWIFT_BACKTRACE": "enable=yes,color=no,registers=none,images=none"}

    async def is_up(self) -> bool:
        return self.runs

    async def serves(self, seconds: float = 0.5) -> bool:
        """Asks as a load balancer does."""
        channel = grpc.aio.insecure_channel(self.address)
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes
        )
        try:
            return await check(b"", timeout=seconds) == b"\x08\x01"
        except grpc.aio.AioRpcError:
            return False
        finally:
            await channel.close()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)


class Balancer(Wire):
    """Sends connections to the node that serves, and cuts those to a node that does not any more."""

    def __init__(self, nodes: "list[Node]") -> None:
        super().__init__(nodes[0].address)
        self.nodes = nodes
        self.active: Node | None = None
        self.is_refusing = True
        self.watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await super().start()
        self.watch = asyncio.create_task(self.look())

    async def stop(self) -> None:
        if self.watch:
            self.watch.cancel()
        await super().stop()

    async def look(self) -> None:
        while True:
            answers = await asyncio.gather(*(node.serves() for node in self.nodes))
            self.turn_to(next((node for node, serves in zip(self.nodes, answers, strict=True) if serves), None))
            await asyncio.sleep(0.1)

    def turn_to(self, node: "Node | None") -> None:
        if node is self.active:
            return
        self.active, self.is_refusing = node, node is None
        for connection in list(self.connections):
            connection.cut()
        if node:
            self.target = ("127.0.0.1", node.port)


class Pair(Part):
    """The server of a world: two nodes behind a balancer."""

    kind = "server"

    def __init__(self, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__("server", logs)
        self.nodes = [Node(f"node-{letter}", logs, postgres, kafka_address) for letter in "ab"]
        self.balancer = Balancer(self.nodes)
        self.address = self.balancer.address

    async def start(self) -> None:
        await self.balancer.start()
        for node in self.nodes:
            await node.start()
        await self.active(self.patience)

    async def active(self, seconds: float, other_than: Node | None = None) -> Node:
        """The node that serves; waits for one."""
        deadline = time.monotonic() + seconds
        while (node := self.balancer.active) is None or node is other_than:
            if time.monotonic() > deadline:
                raise PartFailed(f"no node serves after {seconds:.0f} s: {self.nodes[0].last_words()}")
            await asyncio.sleep(0.02)
        return node

    async def stop(self, seconds: float = 20) -> None:
        await asyncio.gather(*(node.stop(seconds) for node in self.nodes))
        await self.balancer.stop()

    def clean(self) -> None:
        for node in self.nodes:
            if node.process and node.runs:
                node.signal(signal.SIGCONT)
            node.clean()


@dataclass
class Takeover:
    kind: str
    seconds: float


class PairKiller(Killer):
    """Takes the active node away, again and again."""

    def __init__(self, world: World, pair: Pair, seed: int, count: int) -> None:
        super().__init__(world, seed, 0)
        self.pair = pair
        self.random = random.Random(f"pair {seed}")
        self.order = [kind for kind in ("kill -9", "stop", "pause") for _ in range(count)]
        self.random.shuffle(self.order)
        self.takeovers: list[Takeover] = []
        self.replaced = 0

    async def strike(self, kind: str, kill: Kill) -> None:
        pause = self.random.uniform(3, 30) if self.random.random() < 0.3 else self.random.uniform(3, 8)
        node = await self.pair.active(PATIENCE)
        kill.kind = f"{kind} of {node.name}" + (f" for {pause:.1f} s" if kind == "pause" else "")
        kill.time, kill.in_flight = time.time(), self.world.in_flight
        if kind == "pause":
            await self.pause(node, pause)
        else:
            began = time.monotonic()
            await (node.kill() if kind == "kill -9" else node.stop())
            # In order, it gives its shards back at its end.
            since = began if kind == "kill -9" else time.monotonic()
            await self.pair.active(PATIENCE, other_than=node)
            self.takeovers.append(Takeover(kind, time.monotonic() - since))
            if kind == "stop" and node.process and node.process.returncode != 0:
                self.world.problems.append(f"{node.name} was stopped and ended with {node.process.returncode}")
        if not node.runs:
            await node.start()

    async def pause(self, node: Node, seconds: float) -> None:
        """A node that sleeps for longer than its lease is replaced. When it wakes it notices, and ends."""
        node.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            node.signal(signal.SIGCONT)
        with contextlib.suppress(TimeoutError):
            # A short pause ends before anybody has noticed.
            async with asyncio.timeout(2):
                while node.runs and not await node.serves():
                    await asyncio.sleep(0.05)
        await self.pair.active(PATIENCE)
        self.replaced += self.pair.balancer.active is not node
        if self.pair.balancer.active is not node and node.runs:
            deadline = time.monotonic() + 10
            while node.runs and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            if node.runs:
                self.world.problems.append(f"{node.name} was replaced while it was paused, and has not ended")
        if not node.runs and node.process and node.process.returncode != 1:
            self.world.problems.append(f"{node.name} lost its shards and ended with {node.process.returncode}")


@dataclass
class PairMatrix(Matrix):
    """The bookings of the matrix on two nodes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.world.server, Pair)
        # A takeover takes seconds: of each kind a third of the other tests' kills, and all of many.
        count = self.settings.kills if self.settings.kills >= 10 else max(1, self.settings.kills // 3)
        self.killer = PairKiller(self.world, self.world.server, self.settings.seed, count)

    def summary(self) -> str:
        assert isinstance(self.killer, PairKiller)
        texts = []
        for kind, count in Counter(each.kind for each in self.killer.takeovers).items():
            times = sorted(each.seconds for each in self.killer.takeovers if each.kind == kind)
            median, most = statistics.median(times), times[-1]
            texts.append(f"{count} times taken over after {kind}: {median:.1f} s (median), {most:.1f} s at most")
        texts.append(f"{self.killer.replaced} nodes replaced while they slept")
        return "; ".join([*texts, super().summary()])


async def run(folder: Path, settings: Settings) -> tuple[list[str], str]:
    """Bookings beside kills and pauses of the active node; what is wrong, and a summary."""
    world = World(folder, with_kafka=kafka.missing() is None, make_server=Pair)
    try:
        await world.start()
        matrix = PairMatrix(world, settings)
        problems = await matrix.run()
        await world.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
