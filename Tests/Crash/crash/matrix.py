"""Bookings all the time, and kills of everything: what came of each booking?"""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.api.history.v1 import History
from temporalio.service import RPCError

from . import kafka, verdict
from .bookings import Booking, Bookings
from .killer import Killer
from .topics import EVENTS, read_again
from .world import World

MOST_IN_FLIGHT = 150
"""More bookings are not begun while so many have not ended: a machine that is slow doesn't drown."""


@dataclass
class Settings:
    seed: int
    kills: int = 3
    rate: float = 6
    """Bookings begun a second."""
    listen: float = 5
    """Seconds to go on reading after the last expected event."""
    settle: float = 90
    """Seconds in which all bookings have to end after the last kill."""


@dataclass
class Matrix:
    world: World
    settings: Settings
    killer: Killer = field(init=False)
    shown: dict[str, list[History]] = field(default_factory=lambda: defaultdict(list))
    rubbish: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.killer = Killer(self.world, self.settings.seed, self.settings.kills)
        doors = ["kafka", "grpc"] if self.world.kafka else ["grpc"]
        self.source = Bookings(self.settings.seed, f"crash-{self.settings.seed}", doors)
        self.began = time.time()

    async def publish(self) -> None:
        """Begins bookings at a steady rate until cancelled."""
        while True:
            if len(self.world.unfinished) < MOST_IN_FLIGHT:
                self.world.begin(self.source.next())
            if self.world.publisher:
                self.world.publisher.producer.poll(0)
                if self.source.made % 15 == 0:
                    self.rubbish.append(f"rubbish {len(self.rubbish)}".encode())
                    self.world.publisher.publish("rubbish", self.rubbish[-1])
            await asyncio.sleep(1 / self.settings.rate)

    async def look(self) -> None:
        """Reads histories of sagas in flight: what was shown once must never be lost."""
        while True:
            await asyncio.sleep(0.2)
            running = [booking for booking in self.world.bookings.values() if booking.is_in_flight and booking.run_id]
            for booking in running[:: max(1, len(running) // 4)]:
                if len(self.shown[booking.workflow_id]) < 5:
                    with contextlib.suppress(RPCError):
                        history = await self.world.door.history(booking.workflow_id, booking.run_id, seconds=0)
                        self.shown[booking.workflow_id].append(history)

    async def run(self) -> list[str]:
        """All that is wrong, as lines to print."""
        traffic = [asyncio.create_task(self.publish()), asyncio.create_task(self.look())]
        try:
            # The first kill meets a system that works.
            await self.world.until("the first ten bookings end", self.ten_have_ended, 60)
            if not self.world.problems:
                await self.killer.run()
        finally:
            for task in traffic:
                task.cancel()
            await asyncio.gather(*traffic, return_exceptions=True)
        for task in traffic:
            if not task.cancelled() and (error := task.exception()):
                self.world.problems.append(f"{type(error).__name__}: {error}")
        self.world.problems += [
            f"kill {kill.number} ({kill.kind}) hit an idle system" for kill in self.killer.kills if not kill.in_flight
        ]
        await self.world.until("all bookings end", self.all_have_ended, self.settings.settle)
        await asyncio.sleep(self.settings.listen)
        return await self.judge()

    def ten_have_ended(self) -> bool:
        return sum(booking.finished is not None for booking in self.world.bookings.values()) >= 10

    def all_have_ended(self) -> bool:
        letters = len(self.world.letters) >= len(self.rubbish)
        return not self.world.unfinished and not self.world.tasks and letters

    async def judge(self) -> list[str]:
        world = self.world
        problems = world.problems + world.door.problems
        if world.publisher:
            await asyncio.to_thread(world.publisher.flush, 10)
            problems += world.publisher.problems
        lines, told = world.lines(), 0
        acknowledged, tasks = defaultdict(list), defaultdict(list)
        for acknowledgement in world.relay.acknowledged:
            acknowledged[acknowledgement.run_id].append(acknowledgement)
        for task in world.relay.tasks_acknowledged:
            tasks[task.run_id].append(task)
        for booking in world.bookings.values():
            history, found = await self.final_history(booking)
            run = booking.run_id
            if history:
                shown = self.shown[booking.workflow_id]
                found += verdict.booking_problems(booking, history, lines[run], acknowledged[run], tasks[run], shown)
            if found:
                problems += found
                told += 1
                if told <= 10:
                    problems += verdict.evidence(booking, history, lines[run])
        if told > 10:
            problems.append(f"and {told - 10} more bookings of which the same could be told")
        letters = Counter(letter.value for letter in world.letters)
        if letters != Counter(self.rubbish):
            problems.append(f"dead letters {sorted(letters.elements())}, expected {sorted(self.rubbish)}")
        problems += await self.second_reading()
        if world.relay.acknowledged == []:
            problems.append("no acknowledgement of an activity went by the relay: nothing was checked with them")
        return problems

    async def final_history(self, booking: Booking) -> tuple[History | None, list[str]]:
        try:
            return await self.world.door.history(booking.workflow_id, booking.run_id, seconds=20), []
        except RPCError as error:
            return None, [f"the history of {booking.workflow_id} can't be read: {error.status.name}: {error}"]

    async def second_reading(self) -> list[str]:
        """A new reader sees the same events as the one that listened through all kills, and gets to the end."""
        if not self.world.kafka:
            return []
        records, problems = await asyncio.to_thread(read_again, self.world.kafka.address, EVENTS)
        seen = sum(len(command.events) for _, command in self.world.commands.values())
        if len(records) != seen and not problems:
            problems.append(f"a new reader sees {len(records)} events, the one that listened {seen}")
        return problems

    def summary(self) -> str:
        bookings = self.world.bookings.values()
        kinds = Counter(booking.status if booking.finished else "unfinished" for booking in bookings)
        flights = [kill.in_flight for kill in self.killer.kills] or [0]
        events = sum(len(command.events) for _, command in self.world.commands.values())
        longest = self.world.publisher.longest if self.world.publisher else 0
        return (
            f"{len(self.killer.kills)} kills with {min(flights)} to {max(flights)} sagas in flight; "
            f"{len(bookings)} bookings ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}), "
            f"{events} events, {len(self.rubbish)} dead letters, "
            f"{len(self.world.relay.acknowledged)} acknowledgements seen, "
            f"{sum(map(len, self.shown.values()))} histories read meanwhile, "
            f"commands taken by the broker after {longest:.1f} s at most, {time.time() - self.began:.0f} s"
        )


async def run(folder: Path, settings: Settings) -> tuple[list[str], str]:
    """The matrix on a new system; what is wrong, and a summary."""
    world = World(folder, with_kafka=kafka.missing() is None)
    try:
        await world.start()
        matrix = Matrix(world, settings)
        problems = await matrix.run()
        await world.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
