"""PostgreSQL or Kafka are not there: the server says so, answers meanwhile, and goes on by itself."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.service import RPCError, RPCStatusCode

from . import kafka
from .bookings import Booking, Bookings
from .topics import DEAD_LETTERS, EVENTS, Record, read_again
from .world import World

PATIENCE = 60.0


class Outages:
    """One system, and what was said about it."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.source = Bookings(0, name, ["grpc"])

    @property
    def problems(self) -> list[str]:
        return self.world.problems

    async def book(self, door: str, when: str) -> Booking | None:
        """A booking that has to pass."""
        self.source.made += 1
        booking = self.source.make(f"{self.source.prefix}-{self.source.made}", "happy", door)
        self.world.begin(booking)
        if await self.world.until(
            f"a booking by {door} {when}", lambda: booking not in self.world.unfinished, PATIENCE
        ):
            return booking
        return None

    async def answer(self, workflow_id: str, seconds: float = 4) -> tuple[str, float]:
        """The status of a call that needs the database, and how long it took."""
        began = time.monotonic()
        try:
            await self.world.door.call("get_workflow_execution_history", request(workflow_id), seconds=0, each=seconds)
            status = "OK"
        except RPCError as error:
            status = error.status.name
        return status, time.monotonic() - began

    async def expect_unavailable(self, when: str, workflow_ids: list[str]) -> None:
        for workflow_id in workflow_ids:
            status, took = await self.answer(workflow_id)
            if status != RPCStatusCode.UNAVAILABLE.name:
                self.problems.append(f"{when} a call answers {status} after {took:.1f} s, expected UNAVAILABLE")

    def lines(self, since: int = 0) -> list[str]:
        return self.world.server.log.read_text(errors="replace").splitlines()[since:]

    async def until_said(self, words: str, since: int = 0) -> None:
        await self.world.until(
            f"the server says '{words}'", lambda: any(words in line for line in self.lines(since)), 30
        )

    def expect_lines(self, when: str, words: str, lines: list[str], most: int) -> None:
        """Something was said, and not over and over."""
        found = [line for line in lines if words in line]
        if not 1 <= len(found) <= most:
            shown = "".join(f"\n      {line[:200]}" for line in found[: most + 2])
            self.problems.append(f"{when} the server said '{words}' {len(found)} times, expected 1 to {most}{shown}")


def request(workflow_id: str) -> object:
    message = GetWorkflowExecutionHistoryRequest(namespace="default")
    message.execution.workflow_id = workflow_id
    return message


async def at_the_start(folder: Path) -> tuple[list[str], str]:
    """The server is started first, then PostgreSQL, then Kafka."""
    world = World(folder, with_kafka=kafka.missing() is None)
    try:
        outages = Outages(world, "early")
        await world.door.connect()
        world.server.launch()
        await world.until("the server says that it has no PostgreSQL", lambda: bool(outages.lines()), 30)
        await outages.expect_unavailable("before PostgreSQL is there", ["nobody"])
        await asyncio.sleep(3)
        world.server.check_runs()
        outages.expect_lines("without PostgreSQL", "cannot reach PostgreSQL", outages.lines(), 1)
        await world.postgres.start()
        if not world.kafka:
            await world.server.until_up()
        await world.relay.start()
        for worker in world.workers:
            worker.launch()
        await outages.book("grpc", "once PostgreSQL is there")
        if world.kafka:
            await outages.until_said("Kafka cannot be reached")
            await asyncio.sleep(3)
            outages.expect_lines("without Kafka", "Kafka cannot be reached", outages.lines(), 1)
            if await world.server.is_up():
                outages.problems.append("the server says that it is ready without its Kafka")
            await world.kafka.start()
            await world.server.until_up()
            await world.open_doors()
            await outages.book("kafka", "once Kafka is there")
        await world.stop()
        return world.problems + world.door.problems, f"{len(world.bookings)} bookings"
    finally:
        world.clean()


async def later(folder: Path) -> tuple[list[str], str]:
    """PostgreSQL goes away for a while, then Kafka."""
    world = World(folder, with_kafka=kafka.missing() is None)
    try:
        outages = Outages(world, "late")
        await world.start()
        first = await outages.book("grpc", "at first")
        since = len(outages.lines())
        await world.postgres.kill()
        known = [first.workflow_id] if first else []
        for _ in range(10):
            await outages.expect_unavailable("while PostgreSQL is away", [*known, "nobody"])
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)
        outages.expect_lines("while PostgreSQL is away", "PostgreSQL cannot be reached", outages.lines(since), 2)
        told = [line for line in outages.lines(since) if " warning " in line or " error " in line]
        # The lane, the loader and the publisher have a connection each.
        if len(told) > 4:
            shown = "".join(f"\n      {line[:200]}" for line in told[:8])
            outages.problems.append(f"while PostgreSQL was away the server said so in {len(told)} lines{shown}")
        await world.postgres.start()
        await outages.book("grpc", "after PostgreSQL is back")
        if world.kafka:
            await outages.book("kafka", "after PostgreSQL is back")
            await without_kafka(outages)
        await world.stop()
        return world.problems + world.door.problems, f"{len(world.bookings)} bookings"
    finally:
        world.clean()


async def without_kafka(outages: Outages) -> None:
    world = outages.world
    assert world.kafka and world.publisher
    since = len(outages.lines())
    await world.kafka.kill()
    await outages.book("grpc", "while Kafka is away")
    await outages.until_said("Kafka cannot be reached", since)
    await asyncio.sleep(3)
    await outages.book("grpc", "while Kafka is away for longer")
    outages.expect_lines("while Kafka is away", "Kafka cannot be reached", outages.lines(since), 1)
    told = [line for line in outages.lines(since) if " warning " in line or " error " in line]
    if len(told) > 3:
        shown = "".join(f"\n      {line[:200]}" for line in told[:8])
        outages.problems.append(f"while Kafka was away the server said so in {len(told)} lines{shown}")
    await world.kafka.start()
    await outages.book("kafka", "after Kafka is back")


async def without_topic(folder: Path) -> tuple[list[str], str]:
    """The events' topic is deleted: the rest goes on, and so do the events when it is there again."""
    world = World(folder, with_kafka=True)
    try:
        outages = Outages(world, "topicless")
        await world.start()
        await outages.book("kafka", "at first")
        # This reader knows the old topic; another one reads the new topic at the end.
        assert world.kafka and world.publisher and world.reader
        await asyncio.to_thread(world.reader.stop)
        world.reader = None
        since = len(outages.lines())
        admin = AdminClient({"bootstrap.servers": world.kafka.address, "log_level": 0})
        await asyncio.to_thread(lambda: admin.delete_topics([EVENTS])[EVENTS].result(30))
        booking = outages.source.make("without", "happy", "kafka")
        world.expect(booking)
        world.publisher.publish(booking.workflow_id, booking.start.body)
        world.publisher.publish("k", b"no JSON")

        def said() -> bool:
            return any(EVENTS in line and (" warning " in line or " error " in line) for line in outages.lines(since))

        await world.until(f"the server says that {EVENTS} is missing", said, 30)
        await outages.book("grpc", "while the events' topic is missing")
        await expect_records(outages, DEAD_LETTERS, lambda records: len(records) == 1, "a dead letter meanwhile")
        await asyncio.to_thread(lambda: admin.create_topics([NewTopic(EVENTS, 8, 1)])[EVENTS].result(30))

        def complete(records: list[Record]) -> bool:
            events = [each.event for each in records]
            statuses = [event.get("status") for event in events if event.get("command_id") == booking.start.id]
            return statuses == booking.start.statuses

        await expect_records(outages, EVENTS, complete, "the events after their topic was made again")
        await world.stop()
        return world.problems + world.door.problems, f"{len(world.bookings)} bookings"
    finally:
        world.clean()


async def expect_records(outages: Outages, topic: str, right: Callable[[list[Record]], bool], what: str) -> None:
    """Reads a topic again and again until its records are right."""
    world = outages.world
    assert world.kafka
    deadline = time.monotonic() + PATIENCE
    while True:
        records, problems = await asyncio.to_thread(read_again, world.kafka.address, topic)
        if not problems and right(records):
            return
        if time.monotonic() > deadline:
            values = [each.value[:100] for each in records[-5:]]
            world.problems.append(
                f"{what}: not after {PATIENCE:.0f} s; {topic} has {len(records)} records {values} {problems}"
            )
            return
        await asyncio.sleep(0.3)
