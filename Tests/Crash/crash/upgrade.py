"""Two nodes, one of them of an older version: upgrades and rollbacks under load, in order and by kill -9. No booking is
lost or doubled, and no call fails for good. SAGAMORE_OLD_BINARY names the older program."""

import asyncio
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ports import free_port

from . import kafka
from .killer import Kill
from .matrix import Settings
from .pair import Node, Pair
from .pair_killer import PATIENCE, PairKiller, PairMatrix, Takeover
from .sagamore import LOG_LEVEL
from .world import World


def missing() -> str | None:
    """Why nothing can be upgraded here."""
    return None if os.environ.get("SAGAMORE_OLD_BINARY") else "SAGAMORE_OLD_BINARY names no older program"


class VersionedNode(Node):
    """A node of either version. Before `serve` there was `dev` with a database of one's own."""

    def __init__(self, name: str, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__(name, logs, postgres, kafka_address)
        self.old = Path(os.environ["SAGAMORE_OLD_BINARY"])
        self.is_old = False
        self.folder = Path(tempfile.mkdtemp(prefix="sagamore-crash-data-"))
        options = ["--postgres", postgres, "--data-dir", str(self.folder), "--port", str(self.port)]
        options += ["--http-port", str(free_port()), "--log-level", LOG_LEVEL]
        self.old_command = [str(self.old), "dev", *options]
        if kafka_address:
            self.old_command += ["--kafka-bootstrap", kafka_address]

    @property
    def version(self) -> str:
        return "old" if self.is_old else "new"

    def command(self) -> list[str]:
        return self.old_command if self.is_old else super().command()

    def clean(self) -> None:
        super().clean()
        shutil.rmtree(self.folder, ignore_errors=True)

    def waits(self) -> int:
        """How often it has said so: older versions have other words."""
        text = self.log.read_text() if self.log.exists() else ""
        return text.count("standby: another node") + text.count("shard cannot be taken yet")

    async def wait_as_standby(self) -> None:
        """Starts, and returns once it says that it waits."""
        before = self.waits()
        await self.start()
        deadline = time.monotonic() + PATIENCE
        while self.waits() == before:
            self.check_runs()
            assert time.monotonic() < deadline, f"{self.name} does not wait: {self.last_words()}"
            await asyncio.sleep(0.05)


class UpgradePair(Pair):
    """Begins with the older version, alone."""

    def __init__(self, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__(logs, postgres, kafka_address)
        self.nodes = [VersionedNode(f"node-{letter}", logs, postgres, kafka_address) for letter in "ab"]
        self.balancer.nodes = self.nodes
        self.nodes[0].is_old = True

    async def start(self) -> None:
        await self.balancer.start()
        await self.nodes[0].start()
        await self.active(self.patience)


class UpgradeKiller(PairKiller):
    """Puts the other version beside the active node, and takes the active node away."""

    def __init__(self, world: World, pair: Pair, seed: int, count: int) -> None:
        super().__init__(world, pair, seed, count)
        # Upgrade and rollback in turns, so each kind is tried in both directions.
        self.order = [kind for _ in range(max(1, count)) for kind in ("stop", "stop", "kill -9", "kill -9")]

    async def strike(self, kind: str, kill: Kill) -> None:
        node = await self.pair.active(PATIENCE)
        other = next(each for each in self.pair.nodes if each is not node)
        assert isinstance(node, VersionedNode) and isinstance(other, VersionedNode)
        if other.runs:
            await other.stop()
        other.is_old = not node.is_old
        await other.wait_as_standby()
        kill.kind = f"{kind} of {node.name}, {node.version} to {other.version}"
        kill.time, kill.in_flight = time.time(), self.world.in_flight
        began = time.monotonic()
        await (node.kill() if kind == "kill -9" else node.stop())
        since = began if kind == "kill -9" else time.monotonic()
        await self.pair.active(PATIENCE, other_than=node)
        self.takeovers.append(Takeover(f"{kind}, {node.version} to {other.version}", time.monotonic() - since))
        if kind == "stop" and node.process and node.process.returncode != 0:
            self.world.problems.append(f"{node.name} was stopped and ended with {node.process.returncode}")

    async def start_what_ended(self) -> None:
        """The node that was taken away stays away until its version is needed."""


@dataclass
class UpgradeMatrix(PairMatrix):
    """The bookings of the matrix on two versions."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.world.server, UpgradePair)
        count = max(1, self.settings.kills // 4)
        self.killer = UpgradeKiller(self.world, self.world.server, self.settings.seed, count)

    def summary(self) -> str:
        parts = super().summary().split("; ")
        return "; ".join(part for part in parts if not part.endswith(("while they slept", "left them in place")))


async def run(folder: Path, settings: Settings) -> tuple[list[str], str]:
    """Bookings beside upgrades and rollbacks; what is wrong, and a summary."""
    world = World(folder, with_kafka=kafka.missing() is None, make_server=UpgradePair)
    try:
        await world.start()
        matrix = UpgradeMatrix(world, settings)
        problems = await matrix.run()
        await world.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
