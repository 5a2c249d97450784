"""Publishes booking commands, reads their events back, and measures how long that took."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

COMMANDS, EVENTS = "saga.commands", "saga.events"


@dataclass
class Order:
    """How bookings are published."""

    count: int
    rate: float = 0
    """Commands a second, whether or not events return (0: as fast as possible)."""
    task_queue: str = "travel-booking"
    has_worker: bool = True
    """Whether a worker executes them. Each then has two events, otherwise only `accepted`."""
    patience: float = 300
    """Seconds to wait for events after the last command."""
    settle: float = 2
    """Seconds to keep reading afterwards, to detect duplicate events."""


@dataclass
class Booking:
    published: float
    events: list[tuple[float, str, int]] = field(default_factory=list)


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    if not ordered:
        return {}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2)

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1)}


class Desk:
    """Publishes bookings and receives their events. The topics must exist."""

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers
        self.arrived: list[tuple[float, bytes]] = []
        self.stopping = threading.Event()
        self.problems: list[str] = []
        self.producer = Producer(
            {
                "bootstrap.servers": brokers,
                "enable.idempotence": True,
                # No delay: records that gather while a request is in flight form the next batch.
                "linger.ms": 0,
                "queue.buffering.max.messages": 1_000_000,
                "log_level": 0,
            }
        )
        self.consumer = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": "sagamore-bench",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "log_level": 0,
            }
        )
        partitions = self.consumer.list_topics(EVENTS, timeout=30).topics[EVENTS].partitions
        places = []
        for partition in sorted(partitions):
            _, end = self.consumer.get_watermark_offsets(TopicPartition(EVENTS, partition), timeout=30)
            places.append(TopicPartition(EVENTS, partition, end))
        self.consumer.assign(places)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        # One at a time: a request for many waits until it has them all or times out.
        while not self.stopping.is_set():
            message = self.consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.arrived.append((time.monotonic(), message.value()))

    def close(self) -> None:
        self.stopping.set()
        self.thread.join(10)
        self.consumer.close()

    def run(self, order: Order, at_end: Callable[[], Any] = lambda: None) -> dict[str, Any]:
        """Publishes, waits for the events, and checks that every command got exactly its own.

        `at_end` is called as soon as the last event has arrived.
        """
        name = format(time.time_ns(), "x")
        self.arrived.clear()
        bodies = [self.body(f"{name}-{number}", order) for number in range(order.count)]
        bookings: dict[str, Booking] = {}
        began = time.monotonic()
        for number, (command_id, key, body) in enumerate(bodies):
            if order.rate:
                while (left := began + number / order.rate - time.monotonic()) > 0:
                    time.sleep(left)
            bookings[command_id] = Booking(time.monotonic())
            self.producer.produce(COMMANDS, body, key, on_delivery=self.delivered)
            self.producer.poll(0)
        published = time.monotonic()
        expected = order.count * (2 if order.has_worker else 1)
        while len(self.arrived) < expected and time.monotonic() < published + order.patience:
            self.producer.poll(0)
            time.sleep(0.01)
        found = at_end()
        time.sleep(order.settle)
        return self.verdict(order, bookings, began, published) | {"at_end": found}

    def body(self, command_id: str, order: Order) -> tuple[str, str, bytes]:
        command = {
            "command_id": command_id,
            "workflow": "TravelBooking",
            "workflow_id": f"booking-{command_id}",
            "task_queue": order.task_queue,
            "order_id": f"order-{command_id}",
            "input": {"user_id": "u-1", "car": "car-1", "hotel": "hotel-1", "flight": "flight-1", "attempts": 1},
        }
        return command_id, f"booking-{command_id}", json.dumps(command).encode()

    def delivered(self, error: Any, _: Any) -> None:
        if error is not None:
            self.problems.append(f"a command could not be published: {error}")

    def verdict(self, order: Order, bookings: dict[str, Booking], began: float, published: float) -> dict[str, Any]:
        strangers = 0
        for arrived, value in self.arrived:
            event = json.loads(value)
            booking = bookings.get(event["command_id"])
            if booking is None:
                strangers += 1
            else:
                booking.events.append((arrived, event["status"], event["sequence"]))
        wanted = [("accepted", 1), ("passed", 2)][: 2 if order.has_worker else 1]
        wrong = [key for key, each in bookings.items() if [event[1:] for event in each.events] != wanted]
        if wrong:
            example = [event[1:] for event in bookings[wrong[0]].events]
            self.problems.append(f"{len(wrong)} commands did not get exactly {wanted}; {wrong[0]} got {example}")
        if strangers:
            self.problems.append(f"{strangers} events belong to no command")
        answer: dict[str, Any] = {
            "count": order.count,
            "rate": order.rate or "burst",
            "published_s": round(published - began, 2),
        }
        for place, status in enumerate(status for status, _ in wanted):
            times = [(each.events[place][0], each.published) for each in bookings.values() if len(each.events) > place]
            if times:
                answer[f"{status}_per_s"] = round(len(times) / (max(time for time, _ in times) - began), 1)
                answer[f"{status}_ms"] = percentiles([(arrived - sent) * 1000 for arrived, sent in times])
        return answer
