"""PostgreSQL's disks are full for some seconds, that of the tables or that of the log of writes: what was acknowledged
is not lost, nothing is doubled, and the sagas go on once there is room."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import kafka
from .killer import Kill, Killer
from .matrix import Matrix, Settings
from .part import PartFailed
from .small_disk import MEBIBYTES, SmallDiskPostgres
from .world import World

PATIENCE = 30.0
"""Seconds until PostgreSQL needs more room than it has."""


class DiskFiller(Killer):
    """Fills the disks one after another, in an order that a seed chooses, and frees them."""

    def __init__(self, world: World, postgres: SmallDiskPostgres, seed: int, seconds: float) -> None:
        super().__init__(world, seed, 0)
        self.postgres, self.seconds = postgres, seconds
        self.random = random.Random(f"disks {seed}")
        self.order = list(MEBIBYTES)
        self.random.shuffle(self.order)
        self.restarts: Counter[str] = Counter()

    async def strike(self, kind: str, kill: Kill) -> None:
        kill.kind = f"disk of {'the tables' if kind == 'data' else 'the log'} full for {self.seconds:.0f} s"
        kill.time, kill.in_flight = time.time(), self.world.in_flight
        filler, complaints = self.postgres.fillers[kind], self.postgres.complaints()
        began, end = time.monotonic(), 0.0
        try:
            while not end or time.monotonic() < end:
                filler.fill()
                if kind == "wal" and not end:
                    await asyncio.to_thread(self.postgres.end_segment)
                # So many seconds from the first write that fails.
                if not end and self.postgres.complaints() > complaints:
                    end = time.monotonic() + self.seconds
                if not end and time.monotonic() > began + PATIENCE:
                    self.world.problems.append(f"{kill.kind}: PostgreSQL needed no room, nothing was checked")
                    return
                await self.keep_up(kind)
                await asyncio.sleep(0.05)
        finally:
            filler.free()
        await self.start_postgres()

    async def keep_up(self, kind: str) -> None:
        """Starts PostgreSQL again when it ended, as whatever watches over it would."""
        if not self.postgres.runs:
            self.restarts[kind] += 1
            self.postgres.launch()
            await asyncio.sleep(0.5)

    async def start_postgres(self) -> None:
        """There is room: it comes up, whether it just ended or was about to."""
        for _ in range(3):
            if not self.postgres.runs:
                await self.postgres.start()
            try:
                await self.postgres.until_up()
                return
            except PartFailed:
                continue
        raise PartFailed(f"postgres does not start though there is room: {self.postgres.last_words()}")


@dataclass
class DiskMatrix(Matrix):
    """The bookings of the matrix, with full disks instead of kills."""

    seconds: float = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.world.postgres, SmallDiskPostgres)
        self.killer = DiskFiller(self.world, self.world.postgres, self.settings.seed, self.seconds)

    def summary(self) -> str:
        assert isinstance(self.killer, DiskFiller)
        said = self.killer.postgres.log.read_text(errors="replace")
        restarts = ", ".join(f"{count} with {kind} full" for kind, count in sorted(self.killer.restarts.items()))
        return (
            f"PostgreSQL refused {said.count('ERROR:  could not extend')} times, panicked {said.count('PANIC:')} times "
            f"and was started again {sum(self.killer.restarts.values())} times ({restarts or 'none'}); "
            + super().summary()
        )


async def run(folder: Path, settings: Settings, seconds: float) -> tuple[list[str], str]:
    """Bookings beside full disks; what is wrong, and a summary."""
    world = World(folder, with_kafka=kafka.missing() is None, make_postgres=SmallDiskPostgres)
    try:
        await world.start()
        matrix = DiskMatrix(world, settings, seconds=seconds)
        problems = await matrix.run()
        await world.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
