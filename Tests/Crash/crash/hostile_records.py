"""Rubbish on the command topic: each record gets a dead letter or a clear event, and every partition goes on."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from .bookings import Bookings
from .hostile_record_cases import PASSED, Case, command, refused, strange_but_right, trip, unreadable
from .kafka import Kafka
from .topics import COMMANDS, DEAD_LETTERS, EVENTS, Publisher, Reader, Record
from .world import World

PARTITIONS = 8
PATIENCE = 60.0
LARGE = 400_000


@dataclass
class Inbox:
    """What came back."""

    letters: list[Record] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    def take(self, record: Record) -> None:
        if record.topic == DEAD_LETTERS:
            self.letters.append(record)
            return
        try:
            event = record.event
        except ValueError:
            self.strange.append(f"an event is no JSON object: {record.value[:200]!r}")
            return
        self.events.setdefault(str(event.get("command_id")), []).append(event)


class Hostile:
    def __init__(self, world: World) -> None:
        self.world = world
        assert world.kafka
        self.publisher = Publisher(world.kafka.address)
        self.inbox = Inbox()
        self.reader = Reader(world.kafka.address, self.inbox.take)
        self.problems: list[str] = []
        self.sources = Bookings(0, "hostile", ["kafka"])
        self.sent = 0

    def publish(self, case: Case) -> None:
        """Each partition gets its share."""
        key = f"key {case.name}".encode()
        producer, partition = self.publisher.producer, self.sent % PARTITIONS
        headers = [("test", case.name.encode()), *case.headers]
        producer.produce(COMMANDS, case.value, key, partition, headers=headers, on_delivery=self.delivered)
        producer.poll(0)
        self.sent += 1

    def delivered(self, error: Any, _: Any) -> None:
        if error is not None:
            self.problems.append(f"a record could not be published: {error}")

    async def until(self, condition: Any, seconds: float = PATIENCE) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            self.publisher.producer.poll(0)
            if self.reader.failure or not self.world.server.runs or time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def batch(self, name: str, cases: list[Case]) -> None:
        """Publishes the cases, then a normal booking into every partition, and looks at what came of all."""
        for case in cases:
            self.publish(case)
        await self.all_go_on(name)
        await self.until(lambda: not any(self.verdict(case) for case in cases), 20)
        for case in cases:
            self.problems += [f"{name}: {case.name}: {problem}" for problem in self.verdict(case)]
        self.problems += self.inbox.strange
        self.inbox.strange = []

    async def all_go_on(self, name: str) -> None:
        """A normal booking of each partition passes."""
        normal = []
        for _ in range(PARTITIONS):
            self.sources.made += 1
            case = command(f"normal {self.sources.made}", PASSED)
            self.publish(case)
            normal.append(case)
        if not await self.until(lambda: not any(self.verdict(case) for case in normal)):
            stuck = [f"{case.name}: {problem}" for case in normal for problem in self.verdict(case)]
            self.problems.append(f"after {name} not every partition goes on: {stuck}")
        if not self.world.server.runs:
            self.problems.append(f"after {name} the server has ended: {self.world.server.last_words()}")

    def verdict(self, case: Case) -> list[str]:
        letters = [each for each in self.inbox.letters if each.headers.get("test") == case.name.encode()]
        found = []
        if bool(letters) != bool(case.letter) or len(letters) > 1:
            found.append(f"{len(letters)} dead letters, expected {1 if case.letter else 0}")
        for each in letters:
            found += self.letter_problems(case, each)
        if not case.command_id:
            return found
        events = self.inbox.events.get(case.command_id, [])
        statuses = [event.get("status") for event in events]
        if statuses != [status for status, _ in case.events]:
            reasons = [event.get("reason") or event.get("failure") for event in events]
            found.append(f"events {statuses} {str(reasons)[:200]}, expected {[status for status, _ in case.events]}")
        for event, (status, code) in zip(events, case.events, strict=False):
            reason = event.get("reason") or {}
            if status == "rejected":
                expected, _, where = code.partition(" ")
                if reason.get("code") != expected or not str(reason.get("message", "")).startswith(where):
                    found.append(f"rejected with {reason}, expected {code}")
        return found

    def letter_problems(self, case: Case, record: Record) -> list[str]:
        """The record as it came, what is wrong with it, and where it was."""
        found = []
        if record.value != (case.value or b"") or record.key != f"key {case.name}".encode():
            found.append("its dead letter has another key or value")
        if record.headers.get("error.code", b"").decode() not in case.letter.split():
            found.append(f"its dead letter has the code {record.headers.get('error.code')!r}, expected {case.letter}")
        for name in ("error.message", "source.topic", "source.partition", "source.offset", "failed.at"):
            if not record.headers.get(name):
                found.append(f"its dead letter has no header {name}")
        for name, value in case.headers:
            if record.headers.get(name) != value:
                found.append(f"its dead letter lost the header {name!r}")
        return found

    async def large_results(self) -> None:
        """A result that is larger than a record may be: its event goes without it, and so do those behind it."""
        parts = {part: part + "x" * LARGE for part in ("car", "hotel", "flight")}
        # The producer's own limit is 1 MB; this result has 1.2.
        await self.large("a result of 1.2 MB", parts)
        # The broker's limit for the topic is another matter: it is found out when the broker refuses the record.
        assert self.world.kafka
        admin = AdminClient({"bootstrap.servers": self.world.kafka.address, "log_level": 0})
        entry = ConfigEntry("max.message.bytes", "100000", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, EVENTS, incremental_configs=[entry])
        await asyncio.to_thread(
            lambda: [each.result(30) for each in admin.incremental_alter_configs([resource]).values()]
        )
        await self.large("a result that the topic refuses", {part: part + "x" * 60_000 for part in parts})

    async def large(self, name: str, parts: dict[str, str]) -> None:
        case = command(name, PASSED, input=trip(**parts))
        await self.batch(name, [case])
        last = self.inbox.events.get(case.command_id, [{}])[-1]
        if last.get("status") == "passed" and (last.get("result_omitted") is not True or "result" in last):
            self.problems.append(f"{name}: the event has the members {sorted(last)}, expected result_omitted")


async def run(folder: Path) -> tuple[list[str], str]:
    world = World(folder, with_kafka=True, make_kafka=lambda logs: Kafka(logs, {"message.max.bytes": "8000000"}))
    try:
        await world.start()
        hostile = Hostile(world)
        await asyncio.to_thread(hostile.reader.start)
        await hostile.all_go_on("the start")
        await hostile.batch("unreadable records", list(unreadable()))
        await hostile.batch("refused commands", list(refused()))
        await hostile.batch("strange commands", list(strange_but_right()))
        await hostile.large_results()
        hostile.publisher.flush(10)
        await asyncio.to_thread(hostile.reader.stop)
        world.problems.clear()  # the world's own reader knows none of these commands
        await world.stop()
        return hostile.problems + hostile.publisher.problems, f"{hostile.sent} records"
    finally:
        world.clean()
