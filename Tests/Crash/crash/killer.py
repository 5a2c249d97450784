"""Kills parts of the system at random moments, and starts them again."""

import asyncio
import random
import time
from dataclasses import dataclass

from .part import Part
from .world import World


@dataclass
class Kill:
    number: int
    kind: str
    """What was killed, in words."""
    time: float
    in_flight: int
    recovered: float | None = None
    """Seconds until a booking that was begun after the kill had ended."""

    def __str__(self) -> str:
        after = "overtaken by the next kill" if self.recovered is None else f"works again after {self.recovered:.1f} s"
        return f"kill {self.number:3} {self.kind:42} {self.in_flight:3} sagas in flight, {after}"


class Killer:
    """Kills each kind as often as asked, in an order, at moments and in ways that a seed chooses."""

    def __init__(self, world: World, seed: int, count: int) -> None:
        self.world = world
        self.random = random.Random(f"kills {seed}")
        kinds = ["server", "worker", "PostgreSQL"] + (["broker"] if world.kafka else [])
        self.order = [kind for kind in kinds for _ in range(count)]
        self.random.shuffle(self.order)
        self.kills: list[Kill] = []

    async def run(self) -> None:
        for kind in self.order:
            await asyncio.sleep(self.random.uniform(0.1, 1.5))
            kill = Kill(len(self.kills) + 1, kind, 0, 0)
            self.kills.append(kill)
            await self.until_in_flight()
            await self.strike(kind, kill)
            # Mostly the system recovers before the next kill; sometimes it is hit while it recovers.
            if self.random.random() < 0.75:
                await self.until_it_works(kill)
            moment = time.strftime("%H:%M:%S", time.gmtime(kill.time))
            print(f"    {moment} {kill}", flush=True)

    async def strike(self, kind: str, kill: Kill) -> None:
        # Every choice is made before anything is awaited: the seed decides them, not the machine's speed.
        down, chosen = self.random.choice([0, self.random.uniform(0.05, 1.2)]), self.random.random()
        parts: list[Part]
        if kind == "worker":
            first, second = self.world.workers
            parts, words = self.random.choice(
                [([first], "the direct one"), ([second], "the one by the relay"), ([first, second], "both")]
            )
        elif kind == "PostgreSQL":
            words = self.random.choice(["all of it", "its main process", "a session"])
            parts = [self.world.postgres]
        else:
            words = ""
            parts = [self.world.kafka if kind == "broker" and self.world.kafka else self.world.server]
        kill.kind = f"{kind}{': ' if words else ''}{words}, down {down:.1f} s"
        kill.time, kill.in_flight = time.time(), self.world.in_flight
        if kind == "PostgreSQL":
            await self.world.postgres.kill_how(words, chosen)
            if words == "a session":
                return
        else:
            await asyncio.gather(*(part.kill() for part in parts))
        await asyncio.sleep(down)
        await asyncio.gather(*(part.start() for part in parts))

    async def until_in_flight(self) -> None:
        """Waits until there is something to hit. For a moment there may be nothing: when a broker is back, bookings by
        gRPC end before those by the topic are accepted."""
        await self.world.until(f"a saga is in flight for kill {len(self.kills)}", lambda: self.world.in_flight > 0, 45)

    async def until_it_works(self, kill: Kill) -> None:
        """Waits until a booking has ended that was begun when everything was up again."""
        since = time.time()

        def works() -> bool:
            return any(
                booking.created > since and booking.finished is not None
                for booking in list(self.world.bookings.values())
            )

        # A worker's death is noticed late where a task had been handed to it: only old bookings wait for that.
        if await self.world.until(f"a booking ends after kill {kill.number} ({kill.kind})", works, 45):
            kill.recovered = time.time() - kill.time
