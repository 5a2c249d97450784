"""The measured programs: a server with its own PostgreSQL, a broker, workers."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crash.kafka import Kafka
from crash.part import Part

from .database import Database

REPOSITORY = Path(__file__).resolve().parents[3]


class Server(Part):
    """`sagamore dev` as users start it, in a fresh data folder on a disk."""

    def __init__(self, binary: Path, logs: Path, kafka: str | None = None) -> None:
        super().__init__("server", logs)
        self.binary, self.kafka = binary, kafka
        home = Path(tempfile.mkdtemp(prefix="server-", dir=logs))
        home.chmod(0o755)  # as root, the database runs as another user, who needs to reach its folder
        self.folder = home / "data"
        self.places: dict[str, object] = {}

    def command(self) -> list[str]:
        command = [str(self.binary), "dev", "--ephemeral", "--data-dir", str(self.folder), "--port", "0"]
        return [*command, "--kafka-bootstrap", self.kafka] if self.kafka else command

    async def is_up(self) -> bool:
        assert self.process is not None
        try:
            self.places = json.loads((self.folder / "dev.json").read_text())
        except (OSError, ValueError):
            return False
        return self.places.get("pid") == self.process.pid

    @property
    def address(self) -> str:
        return str(self.places["grpc"])

    @property
    def pid(self) -> int:
        return int(str(self.places["pid"]))

    @property
    def postgres_pid(self) -> int:
        return int(str(self.places["postgres_pid"]))

    @property
    def database(self) -> Database:
        return Database(str(self.places["postgres"]))


class Worker(Part):
    """The worker of the travel booking sample."""

    def __init__(self, logs: Path, address: str, program: list[str]) -> None:
        super().__init__("worker", logs)
        self.address, self.program = address, program

    def command(self) -> list[str]:
        return self.program

    def environment(self) -> dict[str, str]:
        return {
            "TRAVEL_BOOKING_PYTHON": sys.executable,
            "SAGAMORE_ADDRESS": self.address,
            "SAGAMORE_NAMESPACE": "default",
        }

    async def is_up(self) -> bool:
        """A worker reports nothing; the first booking shows that it works."""
        return self.runs


class MeasuredKafka(Kafka):
    """A broker that is up once it has answered.

    As in the tests its JVM has no optimizing compiler, which would take half of its time in its first minutes: more
    than a saga costs Sagamore. A broker in production is long past that.
    """

    async def is_up(self) -> bool:
        """Whether the broker answers a metadata request."""
        from confluent_kafka.admin import AdminClient

        if not await super().is_up():
            return False
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        try:
            return bool(await asyncio.to_thread(admin.list_topics, timeout=2))
        except Exception:
            return False


def versions() -> dict[str, str]:
    """The versions of the broker and of the driver's librdkafka; the server has its own librdkafka."""
    from confluent_kafka import libversion

    jars = Path(os.environ["SAGAMORE_TEST_KAFKA_HOME"], "libs").glob("kafka-clients-*.jar")
    broker = ", ".join(jar.stem.removeprefix("kafka-clients-") for jar in jars)
    return {"broker": broker, "librdkafka_of_the_driver": str(libversion()[0])}


@contextlib.contextmanager
def running(part: Part) -> Iterator[Part]:
    """Starts a program and stops it gracefully afterwards."""
    try:
        asyncio.run(part.start())
        yield part
    finally:
        asyncio.run(part.stop(30))
        part.clean()
        if isinstance(part, Server):
            shutil.rmtree(part.folder.parent, ignore_errors=True)
