"""The wall clocks of two nodes step by more than an hour in either direction, while they work and while one sleeps."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.service import RPCError

from . import kafka
from .bookings import Booking, Bookings
from .grpc_door import GRPCDoor
from .history_rules import CLOSING, name
from .killer import Kill, Killer
from .matrix import Matrix, Settings
from .pair import Node
from .stepped_clock import STEP, SteppedPair, SteppedWorld
from .world import World

HOLD = 2.0
"""Seconds until a clock is right again. Nodes look four times a second whether they can take a shard, and renew leases
each second: a node whose lease depended on its wall clock would have acted by then."""
PATIENCE = 20.0
KINDS = (AHEAD, BEHIND, SLEEPING) = ("owner ahead", "owner behind", "owner behind while it sleeps")
WITHOUT_BROKER = "owner behind while the broker is away"


class PunctualBookings(Bookings):
    """Bookings that end without a timer. A retry that was scheduled while the clock was ahead is due an hour later,
    once the clock is right again."""

    WEIGHTS = {kind: weight for kind, weight in Bookings.WEIGHTS.items() if kind != "retried"}


class Stepper(Killer):
    """Steps the clocks, in an order that a seed chooses."""

    def __init__(self, world: World, pair: SteppedPair, seed: int, kinds: list[str]) -> None:
        super().__init__(world, seed, 0)
        self.pair = pair
        self.random = random.Random(f"clocks {seed}")
        self.order = list(kinds)
        # Once each, they come in their order: the events that wait because a clock was ahead come meanwhile.
        if len(kinds) > len(KINDS):
            self.random.shuffle(self.order)
        self.takeovers: list[float] = []
        self.stale_answers_refused = 0

    @property
    def problems(self) -> list[str]:
        return self.world.problems

    async def strike(self, kind: str, kill: Kill) -> None:
        owner = await self.pair.active(PATIENCE)
        kill.kind = f"{owner.name}, {kind}"
        kill.time, kill.in_flight = time.time(), self.world.in_flight
        if kind == SLEEPING:
            await self.sleep(owner)
        elif kind == WITHOUT_BROKER:
            await self.step_without_broker(owner)
        else:
            await self.step(owner, STEP if kind == AHEAD else -STEP)

    async def step(self, owner: Node, seconds: float) -> None:
        """Owner and waiting node by different clocks, both wrong: the shards stay where they are."""
        waiting, before = self.pair.other(owner), self.ownership()
        self.pair.clock(owner).step(seconds)
        self.pair.clock(waiting).step(-seconds)
        end = time.monotonic() + HOLD
        booking = await self.book()
        if booking:
            await self.check_time_of(booking, seconds)
        await asyncio.sleep(max(0, end - time.monotonic()))
        for clock in self.pair.clocks.values():
            clock.step(0)
        if (after := self.ownership()) != before:
            self.problems.append(f"clocks were stepped, and the shards changed owners: {before}, now {after}")
        for node in self.pair.nodes:
            if not node.runs:
                self.problems.append(f"{node.name} ended when clocks were stepped: {node.last_words()}")
                await node.start()

    async def sleep(self, owner: Node) -> None:
        """The owner loses its lease while it sleeps, and its wall clock says that no time has passed since."""
        waiting, began = self.pair.other(owner), time.monotonic()
        owner.signal(signal.SIGSTOP)
        try:
            self.pair.clock(owner).step(-STEP)
            await self.pair.active(PATIENCE, other_than=owner)
            self.takeovers.append(time.monotonic() - began)
            # This one began and ended while the owner slept.
            booking = await self.book()
            questions = [asyncio.create_task(self.ask(owner, booking)) for _ in range(5)] if booking else []
            await asyncio.sleep(0.1)
        finally:
            owner.signal(signal.SIGCONT)
        await asyncio.gather(*questions)
        await self.until(lambda: not owner.runs, f"{owner.name} lost its shards while it slept, and ends")
        if not owner.runs and owner.process and owner.process.returncode != 1:
            self.problems.append(f"{owner.name} lost its shards and ended with {owner.process.returncode}")
        if not waiting.runs:
            self.problems.append(f"{waiting.name} ended after it had taken over: {waiting.last_words()}")
        self.pair.clock(owner).step(0)
        if not owner.runs:
            await owner.start()

    async def step_without_broker(self, owner: Node) -> None:
        """A node reconnects to the broker once it is back. It doesn't wait until its clock shows the old time again."""
        assert self.world.kafka
        await self.world.kafka.stop()
        # By then the broker's clients pause between attempts to connect.
        await asyncio.sleep(2)
        self.pair.clock(owner).step(-STEP)
        await self.world.kafka.start()
        await self.book("kafka")
        self.pair.clock(owner).step(0)

    async def book(self, door: str = "grpc") -> Booking | None:
        """A booking that passes at once, whatever the clocks say."""
        number = len(self.world.bookings)
        booking = Bookings(number, "clock", [door]).make(f"clock-{number}", "happy", door)
        self.world.begin(booking)
        await self.until(lambda: booking.finished is not None, f"a booking by {door} passes")
        return booking if booking.finished else None

    async def ask(self, owner: Node, booking: Booking) -> None:
        """Its memory is stale, so it must not answer from there."""
        door = await GRPCDoor(owner.address).connect()
        try:
            history = await door.history(booking.workflow_id, booking.run_id, seconds=0)
        except RPCError:
            self.stale_answers_refused += 1
            return
        if not history.events or name(history.events[-1]) not in CLOSING:
            self.problems.append(f"{owner.name} lost its shards and showed an old history of {booking.workflow_id}")

    async def check_time_of(self, booking: Booking, seconds: float) -> None:
        """The step has really reached the server."""
        history = await self.world.history(booking)
        ahead = history.events[0].event_time.ToNanoseconds() / 1e9
        if abs(ahead - booking.created - seconds) > 60:
            self.problems.append(f"the clock's step by {seconds:.0f} s had no effect: nothing was checked")

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        await self.world.until(what, condition, PATIENCE)

    def ownership(self) -> str | None:
        return self.world.postgres.psql("select id, epoch, node from sagamore.shards order by id")


@dataclass
class ClockMatrix(Matrix):
    """The bookings of the matrix, with wrong clocks instead of kills."""

    kinds: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        assert isinstance(self.world.server, SteppedPair)
        doors = ["kafka", "grpc"] if self.world.kafka else ["grpc"]
        self.source = PunctualBookings(self.settings.seed, f"clock-{self.settings.seed}", doors)
        self.killer = Stepper(self.world, self.world.server, self.settings.seed, self.kinds)

    def summary(self) -> str:
        assert isinstance(self.killer, Stepper)
        times = ", ".join(f"{seconds:.1f} s" for seconds in self.killer.takeovers)
        refused = self.killer.stale_answers_refused
        slept = f"taken over from a sleeper after {times}; it refused {refused} questions; " if times else ""
        return slept + super().summary()


async def run(folder: Path, settings: Settings) -> tuple[list[str], str]:
    """Bookings beside steps of the clocks; what is wrong, and a summary."""
    return await run_kinds(folder, settings, list(KINDS) * max(1, settings.kills // 3))


async def run_without_broker(folder: Path, settings: Settings) -> tuple[list[str], str]:
    """Bookings beside a clock that goes back while the broker is away."""
    return await run_kinds(folder, settings, [WITHOUT_BROKER])


async def run_kinds(folder: Path, settings: Settings, kinds: list[str]) -> tuple[list[str], str]:
    world = SteppedWorld(folder, with_kafka=kafka.missing() is None, make_server=SteppedPair)
    try:
        await world.start()
        matrix = ClockMatrix(world, settings, kinds=kinds)
        problems = await matrix.run()
        await world.stop()
        return problems, matrix.summary()
    finally:
        world.clean()
