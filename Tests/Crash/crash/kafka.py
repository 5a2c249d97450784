"""An Apache Kafka of the test's own: one node, from an unpacked distribution that SAGAMORE_TEST_KAFKA_HOME names."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

from ports import free_port

from .part import Part, PartFailed, listens

HOME = os.environ.get("SAGAMORE_TEST_KAFKA_HOME", "")
CLUSTER = "c2FnYW1vcmUtY3Jhc2gtMQ"


def missing() -> str | None:
    """Why no broker can be started; nothing when one can."""
    if not HOME:
        return "SAGAMORE_TEST_KAFKA_HOME names no Apache Kafka: exactly-once was not checked"
    if not list(Path(HOME, "libs").glob("kafka-server-*.jar")) and not list(Path(HOME, "libs").glob("kafka_*.jar")):
        return f"SAGAMORE_TEST_KAFKA_HOME={HOME} has no libs/kafka_*.jar: exactly-once was not checked"
    if not java():
        return "there is no java: exactly-once was not checked"
    return None


def java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    if home and Path(home, "bin", "java").exists():
        return str(Path(home, "bin", "java"))
    return shutil.which("java")


class Kafka(Part):
    kind = "broker"
    formatted: ClassVar[dict[str, bytes]] = {}
    """What the first one's folder had in it: Java takes most of a second for these small files."""

    def __init__(self, logs: Path, settings: dict[str, str] | None = None) -> None:
        super().__init__("kafka", logs)
        self.folder = Path(tempfile.mkdtemp(prefix="sagamore-crash-kafka-"))
        self.port, self.controller_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.properties = self.folder / "server.properties"
        lines = {**self.settings(), **(settings or {})}
        self.properties.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
        self.format()

    def format(self) -> None:
        data = self.folder / "data"
        if not self.formatted:
            arguments = ["format", "--cluster-id", CLUSTER, "--config", str(self.properties)]
            command = self.java("128m", "kafka.tools.StorageTool", *arguments)
            made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if made.returncode != 0:
                raise PartFailed(f"Kafka's folder could not be made: {made.stdout[-500:]}")
            self.formatted.update({path.name: path.read_bytes() for path in data.iterdir()})
        data.mkdir(exist_ok=True)
        for name, content in self.formatted.items():
            (data / name).write_bytes(content)

    def settings(self) -> dict[str, str]:
        """One node: every replication factor is 1. Short delays, so that tests don't wait. A subclass adds its own."""
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",
        }

    def java(self, heap: str, *arguments: str) -> list[str]:
        program = java()
        assert program is not None
        options = ["-Xms96m", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        options += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"]
        return [program, *options, "-cp", f"{HOME}/libs/*", *arguments]

    def command(self) -> list[str]:
        return self.java("384m", "kafka.Kafka", str(self.properties))

    async def is_up(self) -> bool:
        return await asyncio.to_thread(listens, self.port)

    def clean(self) -> None:
        super().clean()
        shutil.rmtree(self.folder, ignore_errors=True)
