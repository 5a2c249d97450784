"""The whole system under test: what was asked of it, what it said, and everything it consists of."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from temporalio.api.history.v1 import History

from .activity_log import Line
from .activity_log import read as read_activity_log
from .bookings import Booking, Command
from .grpc_door import GRPCDoor
from .history_rules import CLOSING, name
from .kafka import Kafka
from .part import Part
from .postgres import Postgres
from .relay import Relay
from .sagamore import Server, Worker
from .topics import DEAD_LETTERS, Publisher, Reader, Record

Some = TypeVar("Some", bound=Part)
FINAL = {"passed", "compensated", "failed", "cancelled", "terminated", "timed_out"}


class World:
    """A server on a PostgreSQL, perhaps with a Kafka, and two workers: one of them through the relay."""

    def __init__(
        self,
        folder: Path,
        *,
        with_kafka: bool,
        make_postgres: Callable[[Path], Postgres] = Postgres,
        make_kafka: Callable[[Path], Kafka] = Kafka,
        make_server: Callable[[Path, str, str | None], Any] = Server,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.parts: list[Part] = []
        self.postgres = self.add(make_postgres(folder))
        self.kafka = self.add(make_kafka(folder)) if with_kafka else None
        self.server = self.add(make_server(folder, self.postgres.url, self.kafka.address if self.kafka else None))
        self.relay = Relay(self.server.address)
        self.activity_log = folder / "activities.jsonl"
        workers = (("worker", self.server.address), ("worker-by-relay", f"127.0.0.1:{self.relay.port}"))
        self.workers = [self.add(Worker(name, folder, address, self.activity_log)) for name, address in workers]
        self.door = GRPCDoor(self.server.address)
        self.publisher: Publisher | None = None
        self.reader: Reader | None = None
        self.lock = threading.Lock()
        self.bookings: dict[str, Booking] = {}
        self.commands: dict[str, tuple[Booking, Command]] = {}
        self.letters: list[Record] = []
        self.problems: list[str] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def add(self, part: Some) -> Some:
        self.parts.append(part)
        return part

    async def start(self, *, workers: bool = True) -> None:
        await asyncio.gather(*(part.start() for part in (self.postgres, self.kafka) if part))
        await self.server.start()
        await self.relay.start()
        if workers:
            await asyncio.gather(*(worker.start() for worker in self.workers))
        await self.open_doors()

    async def open_doors(self) -> None:
        await self.door.connect()
        if self.kafka:
            self.publisher = Publisher(self.kafka.address)
            self.reader = Reader(self.kafka.address, self.take)
            await asyncio.to_thread(self.reader.start)

    async def stop(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self.workers))
        await self.server.stop()
        await self.relay.stop()
        if self.reader:
            await asyncio.to_thread(self.reader.stop)

    def clean(self) -> None:
        for part in reversed(self.parts):
            part.clean()

    # What comes in

    def take(self, record: Record) -> None:
        """Takes a record from the reader's thread."""
        with (self.folder / f"{record.topic}.jsonl").open("a") as file:
            line = {"partition": record.partition, "offset": record.offset, "time": record.time}
            file.write(json.dumps(line | {"value": record.value.decode(errors="replace")[:2000]}) + "\n")
        with self.lock:
            if record.topic == DEAD_LETTERS:
                self.letters.append(record)
                return
            try:
                event = record.event
            except ValueError:
                self.problems.append(f"an event is no JSON object: {record.value[:200]!r}")
                return
            found = self.commands.get(str(event.get("command_id")))
            if found is None:
                self.problems.append(f"an event of a command that nobody sent: {record.value[:300]!r}")
                return
            booking, command = found
            if (record.key or b"").decode(errors="replace") != event.get("workflow_id"):
                self.problems.append(
                    f"an event whose key is not its workflow id: {record.key!r}, {record.value[:200]!r}"
                )
            command.events.append(event)
            if command is booking.start:
                if event.get("status") == "accepted":
                    booking.accepted, booking.run_id = record.time, str(event.get("run_id"))
                elif event.get("status") in FINAL and booking.finished is None:
                    booking.finished = record.time

    # What goes out

    def expect(self, booking: Booking) -> None:
        with self.lock:
            self.bookings[booking.workflow_id] = booking
            for command in booking.commands:
                self.commands[command.id] = (booking, command)

    def begin(self, booking: Booking) -> None:
        """Starts a booking and does, at its times, what follows."""
        self.expect(booking)
        task = asyncio.create_task(self.carry_out(booking))
        self.tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.problems.append(f"a booking could not be carried out: {type(error).__name__}: {error}")

    async def carry_out(self, booking: Booking) -> None:
        await self.send(booking, booking.start)
        for follow_up in booking.follow_ups:
            if follow_up.seconds < 0:
                await self.send(booking, follow_up.command)
        later = sorted((each for each in booking.follow_ups if each.seconds >= 0), key=lambda each: each.seconds)
        while booking.accepted is None:
            await asyncio.sleep(0.05)
        accepted = time.time()
        for follow_up in later:
            await asyncio.sleep(max(0, accepted + follow_up.seconds - time.time()))
            await self.send(booking, follow_up.command)
        while booking.door == "grpc" and booking.finished is None:
            await asyncio.sleep(0.3)
            history = await self.door.history(booking.workflow_id, booking.run_id)
            if history.events and name(history.events[-1]) in CLOSING:
                booking.finished = time.time()

    async def send(self, booking: Booking, command: Command) -> None:
        if booking.door == "kafka":
            assert self.publisher is not None
            self.publisher.publish(command.body["workflow_id"], command.body)
        else:
            run_id = await self.door.send(command)
            if command is booking.start and run_id:
                booking.run_id, booking.accepted = run_id, time.time()
        command.sent += 1

    # What there is

    @property
    def in_flight(self) -> int:
        """Sagas that were accepted, as far as we were told, and have not ended, as far as we were told."""
        return sum(booking.is_in_flight for booking in list(self.bookings.values()))

    @property
    def unfinished(self) -> list[Booking]:
        """Bookings that have not ended, or some command of which has not all its events."""
        return [
            booking
            for booking in list(self.bookings.values())
            if booking.finished is None
            or (booking.door == "kafka" and not all(command.has_its_events for command in booking.commands))
        ]

    def lines(self) -> dict[str, list[Line]]:
        return read_activity_log(self.activity_log)

    async def history(self, booking: Booking) -> History:
        return await self.door.history(booking.workflow_id, booking.run_id)

    async def until(self, what: str, condition: Callable[[], bool], seconds: float) -> bool:
        """Waits for a condition; what did not come is a problem."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.reader and self.reader.failure:
                self.problems.append(self.reader.failure)
                return False
            if time.monotonic() > deadline:
                self.problems.append(f"{what}: not after {seconds:.0f} s")
                return False
            await asyncio.sleep(0.05)
        return True
