"""Publishing to the command topic, and a reader of the topics that only sees what is committed."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

COMMANDS, EVENTS, DEAD_LETTERS = "saga.commands", "saga.events", "saga.commands.dlq"


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: dict[str, bytes]
    time: float

    @property
    def event(self) -> dict[str, Any]:
        value = json.loads(self.value)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return value


class Publisher:
    """Publishes commands. A broker that is away is waited for; what could not be delivered is a problem of the test."""

    def __init__(self, address: str) -> None:
        self.problems: list[str] = []
        self.longest = 0.0
        """Seconds that the broker took at most to take a command: tells its outages from the server's."""
        self.producer = Producer(
            {
                "bootstrap.servers": address,
                "enable.idempotence": True,
                "linger.ms": 0,
                "message.timeout.ms": 300_000,
                "reconnect.backoff.max.ms": 1000,
                "message.max.bytes": 20_000_000,
                "log_level": 0,
            }
        )

    def publish(
        self, key: str | bytes, value: dict[str, Any] | bytes, headers: list[tuple[str, bytes]] | None = None
    ) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
        began = time.monotonic()
        self.producer.produce(
            COMMANDS, body, key, headers=headers or [], on_delivery=lambda error, _: self.delivered(error, began)
        )
        self.producer.poll(0)

    def delivered(self, error: Any, began: float) -> None:
        self.longest = max(self.longest, time.monotonic() - began)
        if error is not None:
            self.problems.append(f"a command could not be published: {error}")

    def flush(self, seconds: float) -> None:
        if left := self.producer.flush(seconds):
            self.problems.append(f"{left} commands were not published after {seconds:.0f} s")


class Reader:
    """Reads topics from their beginning on its own thread, `read_committed`, through all outages of the broker."""

    def __init__(
        self, address: str, take: Callable[[Record], None], topics: tuple[str, ...] = (EVENTS, DEAD_LETTERS)
    ) -> None:
        self.address, self.take, self.topics = address, take, topics
        self.consumer = Consumer(reader_settings(address, "read_committed"))
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.failure: str | None = None

    def start(self) -> None:
        """The topics have to be there."""
        places = [
            TopicPartition(topic, partition, 0)
            for topic in self.topics
            for partition in partitions(self.consumer, topic)
        ]
        self.consumer.assign(places)
        self.thread.start()

    def read(self) -> None:
        try:
            while not self.stopping.is_set():
                for message in self.consumer.consume(500, 0.1):
                    if message.error() is None:
                        self.take(record(message))
        except Exception as error:  # told by whoever waits for events
            self.failure = f"the reader of the events ended: {type(error).__name__}: {error}"

    def stop(self) -> None:
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join(10)
        self.consumer.close()


def record(message: Any) -> Record:
    headers = {name: value or b"" for name, value in message.headers() or []}
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value() or b"",
        headers,
        time.time(),
    )


def reader_settings(address: str, isolation: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": address,
        "group.id": "crash-tests",
        "isolation.level": isolation,
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "fetch.wait.max.ms": 50,
        "fetch.message.max.bytes": 20_000_000,
        "reconnect.backoff.max.ms": 1000,
        "allow.auto.create.topics": False,
        "log_level": 0,
    }


def partitions(consumer: Any, topic: str, seconds: float = 30) -> list[int]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(KafkaException):
            found = consumer.list_topics(topic, timeout=5).topics.get(topic)
            if found and found.partitions and not found.error:
                return sorted(found.partitions)
        time.sleep(0.2)
    raise TimeoutError(f"topic {topic} is not there after {seconds:.0f} s")


def read_again(address: str, topic: str, seconds: float = 30) -> tuple[list[Record], list[str]]:
    """Reads a whole topic with a new reader; and what keeps it from reading to the end: a transaction that hangs."""
    consumer, records = Consumer(reader_settings(address, "read_committed")), []
    try:
        try:
            ends = {
                partition: consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
                for partition in partitions(consumer, topic)
            }
        except KafkaException as error:  # a topic that was made a moment ago
            return [], [f"{topic} can't be read: {error}"]
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        deadline = time.monotonic() + seconds
        while True:
            records += [record(each) for each in consumer.consume(1000, 0.2) if each.error() is None]
            places = consumer.position([TopicPartition(topic, partition) for partition in ends])
            behind = {place.partition: place.offset for place in places if max(place.offset, 0) < ends[place.partition]}
            if not behind:
                return records, []
            if time.monotonic() > deadline:
                where = ", ".join(f"{each} at {offset} of {ends[each]}" for each, offset in behind.items())
                return records, [f"a new reader of {topic} does not get to the end: partition {where}"]
    finally:
        consumer.close()
