"""What a check consists of: a database, a node and a worker on it, and the topics of a broker."""

import asyncio
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crash.kafka import Kafka
from crash.pair import Node
from crash.sagamore import BINARY, REPOSITORY, Worker
from crash.topics import EVENTS, Publisher, Reader, Record

from .database import ArchivingPostgres, Point

PATIENCE = 40.0
SHARDS = "select count(distinct shard) from sagamore.slices"


async def until(condition: Callable[[], bool], what: str, words: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never happened that {what}: {words()}"
        await asyncio.sleep(0.03)


class Service(Node):
    """One node, whose log can be read."""

    read_from = 0

    def __init__(self, name: str, logs: Path, postgres: str, kafka: str, shards: int) -> None:
        super().__init__(name, logs, postgres, kafka)
        text = self.configuration.read_text().replace("format: text", "format: json")
        self.configuration.write_text(f"{text}  partitions: 2\nshards: {shards}\n")

    async def begin(self) -> None:
        """Starts the node."""
        self.forget_lines()
        await self.start()
        await until(lambda: self.page("/readyz") == "ready\n", "the node is ready", self.last_words)

    def forget_lines(self) -> None:
        """`lines` has what it says from now on."""
        self.read_from = self.log.stat().st_size if self.log.exists() else 0

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return ""

    def lines(self, *levels: str) -> list[dict[str, Any]]:
        """What it has said at these levels since it began; a line that is being written is left out."""
        text = self.log.read_bytes()[self.read_from :].rpartition(b"\n")[0].decode(errors="replace")
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if line["level"] in levels]


class Site:
    def __init__(self, folder: Path, kafka: Kafka, shards: int) -> None:
        self.folder, self.kafka = folder, kafka
        self.database = ArchivingPostgres(folder)
        self.node = Service("node", folder, self.database.url, kafka.address, shards)
        self.worker = Worker("worker", folder, self.node.address, folder / "activities.jsonl")
        self.lock = threading.Lock()
        self.events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        """By command id, in the order of the topic."""
        self.statuses: dict[str, list[str]] = {}
        """What has to come of each command."""
        self.reader: Reader | None = None
        self.publisher: Publisher | None = None

    async def start(self) -> None:
        """Starts what uses the database and the broker, which are up."""
        await self.node.begin()
        await self.worker.start()
        self.publisher = Publisher(self.kafka.address)
        self.reader = Reader(self.kafka.address, self.take, (EVENTS,))
        await asyncio.to_thread(self.reader.start)

    async def stop_services(self) -> None:
        await asyncio.gather(self.worker.stop(), self.node.stop())

    async def start_services(self) -> None:
        """The worker starts anew, too: what it remembers of sagas may never have happened."""
        await self.node.begin()
        await self.worker.start()

    def clean(self) -> None:
        if self.reader:
            self.reader.stop()
        for part in (self.worker, self.node, self.database):
            part.clean()

    # Commands and events

    def take(self, record: Record) -> None:
        """Takes a record from the reader's thread."""
        with self.lock:
            self.events[str(record.event["command_id"])].append(record.event)

    def book(self, name: str, *, attempts: int = 1) -> str:
        """Starts a booking that passes, or with many attempts one that goes on until it is given up."""
        item = {"user_id": "u", "car": f"car {name}", "hotel": f"hotel {name}", "flight": f"flight {name}"}
        statuses = ["accepted", "passed" if attempts == 1 else "compensated"]
        return self.send(name, "start", name, statuses, workflow="TravelBooking", task_queue="travel-booking",
                         input={**item, "attempts": attempts})  # fmt: skip

    def give_up(self, booking: str) -> str:
        return self.send(f"{booking} given up", "signal", booking, ["delivered"], signal="cancel_booking", input="x")

    def send(self, command_id: str, command: str, workflow_id: str, statuses: list[str], **more: Any) -> str:
        assert self.publisher
        body = {"command_id": command_id, "command": command, "workflow_id": workflow_id, **more}
        self.statuses[command_id] = statuses
        self.publisher.publish(workflow_id, body)
        return command_id

    def told(self, command_id: str) -> list[str]:
        """The statuses of a command's events."""
        with self.lock:
            return [str(event["status"]) for event in self.events[command_id]]

    def count(self) -> int:
        with self.lock:
            return sum(map(len, self.events.values()))

    async def until_told(self, commands: list[str], since: dict[str, int] | None = None) -> None:
        """Waits until each of the commands has all its events; `since` says how many it had before."""
        since = since or {}

        def missing() -> list[str]:
            return [
                each for each in commands if len(self.told(each)) - since.get(each, 0) < len(self.statuses[each])
            ]

        await until(
            lambda: not missing(),
            "all events come",
            lambda: f"{[(each, self.told(each)) for each in missing()][:5]}; {self.node.last_words()}",
        )

    def counts(self) -> dict[str, int]:
        """How many events each command has."""
        with self.lock:
            return {command: len(events) for command, events in self.events.items()}

    # What an operator does

    def renumber_outbox(self) -> None:
        script = REPOSITORY / "deploy/postgres/renumber-outbox.sql"
        psql = [str(self.database.programs / "psql"), "-Xq", "-d", self.database.url]
        # psql may run as a user who cannot read the file by its path.
        done = subprocess.run(
            psql, cwd="/", input=script.read_text(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout

    def rewind_commands(self, point: Point, folder: Path) -> None:
        installation = self.database.psql("select id from sagamore.installation")
        moment = datetime.fromtimestamp(point.time - 1, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        command = folder / "kafka-consumer-groups.sh"
        main = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
        java = " ".join(f"'{word}'" for word in self.kafka.java("128m", main))
        command.write_text(f'#!/bin/sh\nexec {java} "$@"\n')
        command.chmod(0o755)
        done = subprocess.run(
            [REPOSITORY / "deploy/kafka/rewind-commands.sh", self.kafka.address, str(installation), moment],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert "NEW-OFFSET" in done.stdout, done.stdout

    def migrate(self, shards: int) -> str:
        done = subprocess.run(
            [str(BINARY), "migrate", "--postgres", self.database.url, "--shards", str(shards)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout
