"""Two nodes on one database: the active one is killed, stopped in order, and paused. The other one takes over, and a
node that wakes up commits nothing and shows nothing any more. PostgreSQL and the broker are restarted beside them: the
nodes go on by themselves."""

import asyncio
import contextlib
import random
import signal
import statistics
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import kafka
from .killer import Kill, Killer
from .matrix import Matrix, Settings
from .pair import Node, Pair
from .part import Part
from .world import World

PATIENCE = 20.0
"""Seconds within which the other node has to take over. How long it takes is printed."""
NODE_KINDS = ("kill -9", "stop", "pause")
STORE_KINDS = ("PostgreSQL stopped", "PostgreSQL killed", "broker stopped")


@dataclass
class Takeover:
    kind: str
    seconds: float


class PairKiller(Killer):
    """Takes the active node away, again and again, or what both nodes use."""

    def __init__(self, world: World, pair: Pair, seed: int, count: int) -> None:
        super().__init__(world, seed, 0)
        self.pair = pair
        self.random = random.Random(f"pair {seed}")
        kinds = [kind for kind in (*NODE_KINDS, *STORE_KINDS) if world.kafka or kind != "broker stopped"]
        self.order = [kind for kind in kinds for _ in range(count)]
        self.random.shuffle(self.order)
        self.takeovers: list[Takeover] = []
        self.replaced = 0
        self.restarts = self.outlasted = 0
        """Restarts of PostgreSQL and the broker, and those after which the same node was active."""
        self.restarted: tuple[Kill, Node] | None = None
        """The last restart, with the node that was active before, until its consequences were looked at."""

    async def run(self) -> None:
        await super().run()
        await self.start_what_ended()

    async def strike(self, kind: str, kill: Kill) -> None:
        await self.start_what_ended()
        pause = self.random.uniform(3, 30) if self.random.random() < 0.3 else self.random.uniform(3, 8)
        node = await self.pair.active(PATIENCE)
        kill.time, kill.in_flight = time.time(), self.world.in_flight
        if kind in STORE_KINDS:
            self.restarts, self.restarted = self.restarts + 1, (kill, node)
            await self.restart(kind, kill)
            return
        kill.kind = f"{kind} of {node.name}" + (f" for {pause:.1f} s" if kind == "pause" else "")
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
        if await self.owner() != node.name:
            self.replaced += 1
            await self.until_ended(node, "while it was paused")
        await self.pair.active(PATIENCE)
        if not node.runs and node.process and node.process.returncode != 1:
            self.world.problems.append(f"{node.name} lost its shards and ended with {node.process.returncode}")

    async def owner(self) -> str:
        """Who has a lease that is good, as the database says: a node that wakes up serves until it notices."""
        question = "select node from sagamore.shards where id = 0 and lease_until > clock_timestamp()"
        deadline = time.monotonic() + PATIENCE
        while not (name := self.world.postgres.psql(question)):
            assert time.monotonic() < deadline, "nobody has the shard"
            await asyncio.sleep(0.05)
        return name

    async def until_ended(self, node: Node, when: str) -> None:
        """A node whose shards another one took notices it and ends."""
        deadline = time.monotonic() + 10
        while node.runs:
            if time.monotonic() > deadline:
                self.world.problems.append(f"{node.name} was replaced {when}, and has not ended")
                return
            await asyncio.sleep(0.05)

    async def restart(self, kind: str, kill: Kill) -> None:
        """What both nodes use goes away and comes back. The broker's sudden death is among the other kills."""
        # Every choice is made before anything is awaited.
        down = self.random.choice([0, self.random.uniform(0.05, 1.2)])
        death = self.random.choice(["all of it", "its main process", "at once"])
        kill.kind = f"{kind}{': ' + death if kind == 'PostgreSQL killed' else ''}, down {down:.1f} s"
        if kind == "PostgreSQL killed":
            part: Part = self.world.postgres
            await self.world.postgres.kill_how(death)
        else:
            part = self.world.kafka if kind == "broker stopped" and self.world.kafka else self.world.postgres
            await part.stop()
        await asyncio.sleep(down)
        await part.start()

    async def start_what_ended(self) -> None:
        """Starts the nodes that ended since the last look. The broker's absence ends none. That of PostgreSQL may make
        the nodes change places: then the one that was active ends, as every node that lost its shards."""
        if self.restarted is None:
            return
        (kill, before), self.restarted = self.restarted, None
        if await self.pair.active(PATIENCE) is before:
            self.outlasted += 1
        else:
            await self.until_ended(before, f"after {kill.kind}")
        for node in self.pair.nodes:
            if node.runs or node.process is None:
                continue
            if kill.kind.startswith("broker") or node is not before or node.process.returncode != 1:
                self.world.problems.append(f"{node.name} ended with {node.process.returncode} after {kill.kind}")
            await node.start()


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
        texts.append(f"{self.killer.outlasted} of {self.killer.restarts} restarts of what they use left them in place")
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
