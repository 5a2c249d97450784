"""What is asked of the system, and what has to come of it."""

import random
import time
from dataclasses import dataclass, field
from typing import Any

UNDOS = {"book_car": "undo_book_car", "book_hotel": "undo_book_hotel", "book_flight": "undo_book_flight"}
STEPS = list(UNDOS)


@dataclass
class Command:
    """One command with the statuses of the events that it has to get, in order. Over gRPC there are none."""

    id: str
    act: str
    """`start`, `signal`, `cancel` or `terminate`."""
    statuses: list[str]
    body: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0

    @property
    def has_its_events(self) -> bool:
        return len(self.events) >= len(self.statuses)


@dataclass
class FollowUp:
    """What is sent after a booking's start: another command, or the start again."""

    command: Command
    seconds: float
    """How long after the start was accepted; nothing waits when negative: it is sent right behind the start."""


@dataclass
class Booking:
    """A saga that is started, and perhaps given up later."""

    workflow_id: str
    kind: str
    door: str
    """`kafka` or `grpc`."""
    start: Command
    steps: list[str]
    """The steps that are tried, in order."""
    status: str
    """How it ends: the status of its terminal event."""
    follow_ups: list[FollowUp] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    accepted: float | None = None
    finished: float | None = None
    run_id: str = ""

    @property
    def undos(self) -> list[str]:
        """What has to be undone, in order: all that was tried, in reverse."""
        return [UNDOS[step] for step in reversed(self.steps)] if self.status in ("compensated", "cancelled") else []

    @property
    def commands(self) -> list[Command]:
        """Each once, also one that is sent again."""
        commands = {self.start.id: self.start}
        commands |= {each.command.id: each.command for each in self.follow_ups}
        return list(commands.values())

    @property
    def is_given_up(self) -> bool:
        """Somebody ends it from outside, perhaps before anything was tried."""
        return any(each.command.statuses == ["delivered"] for each in self.follow_ups)

    @property
    def is_in_flight(self) -> bool:
        return self.accepted is not None and self.finished is None


class Bookings:
    """Makes bookings of all kinds from a seed."""

    # How often each kind comes. Those that wait for somebody keep sagas in flight at every moment.
    WEIGHTS = {
        "happy": 5, "retried": 4, "invalid flight": 2, "invalid hotel": 1, "invalid car": 1, "given up": 3,
        "given up at once": 1, "cancelled": 2, "terminated": 1, "sent again": 2, "started twice": 1, "unknown": 1,
    }  # fmt: skip
    # What only the topics know: command ids, and order among commands.
    ONLY_KAFKA = {"given up at once", "sent again", "started twice", "unknown"}

    def __init__(self, seed: int, prefix: str, doors: list[str]) -> None:
        self.random = random.Random(f"bookings {seed}")
        self.prefix = prefix
        self.doors = doors
        self.made = 0

    def next(self) -> Booking:
        self.made += 1
        door = self.random.choices(self.doors, [4 if door == "kafka" else 1 for door in self.doors])[0]
        kinds = [kind for kind in self.WEIGHTS if door == "kafka" or kind not in self.ONLY_KAFKA]
        kind = self.random.choices(kinds, [self.WEIGHTS[kind] for kind in kinds])[0]
        return self.make(f"{self.prefix}-{self.made}", kind, door)

    def make(self, name: str, kind: str, door: str) -> Booking:
        item = {
            "user_id": "u",
            "car": f"car {name}",
            "hotel": f"hotel {name}",
            "flight": f"flight {name}",
            "attempts": 1,
        }
        steps, status = STEPS, "passed"
        if kind == "retried":
            item["attempts"] = self.random.choice([2, 2, 3])
        elif kind.startswith("invalid"):
            part = kind.removeprefix("invalid ")
            item[part] = f"invalid {name}"
            steps, status = STEPS[: STEPS.index("book_" + part) + 1], "compensated"
        elif kind in ("given up", "given up at once", "cancelled", "terminated", "started twice"):
            item["attempts"] = 1000
            steps = STEPS[:1]
            status = {"cancelled": "cancelled", "terminated": "terminated"}.get(kind, "compensated")
        workflow_id = f"booking-{name}"
        start = self.command(f"{name}-start", "start", workflow_id, ["accepted", status], input=item)
        booking = Booking(workflow_id, kind, door, start, steps, status)
        later = [self.random.uniform(0.2, 3) for _ in range(2)]
        if kind in ("given up", "given up at once", "started twice"):
            if kind == "given up at once":
                later[1] = -1
            if kind == "started twice":
                again = self.command(f"{name}-other", "start", workflow_id, ["rejected"], input=item)
                booking.follow_ups.append(FollowUp(again, later[0]))
                later[1] += later[0]
            signal = self.command(
                f"{name}-signal", "signal", workflow_id, ["delivered"], signal="cancel_booking", input="x"
            )
            booking.follow_ups.append(FollowUp(signal, later[1]))
            booking.follow_ups.append(FollowUp(signal, later[1] + 0.5))
        elif kind in ("cancelled", "terminated"):
            act = {"cancelled": "cancel", "terminated": "terminate"}[kind]
            command = self.command(f"{name}-{act}", act, workflow_id, ["delivered"], reason="a test")
            booking.follow_ups.append(FollowUp(command, later[0]))
        elif kind == "sent again":
            booking.follow_ups += [FollowUp(start, -1), FollowUp(start, later[0])]
        elif kind == "unknown":
            # Nobody has started this one, and nobody will.
            nobody = self.command(
                f"{name}-nobody", "signal", workflow_id + "-nobody", ["rejected"], signal="cancel_booking"
            )
            booking.follow_ups.append(FollowUp(nobody, -1))
        return booking

    def command(self, id: str, act: str, workflow_id: str, statuses: list[str], **more: Any) -> Command:
        body = {"command_id": id, "command": act, "workflow_id": workflow_id, "order_id": f"order {id}", **more}
        if act == "start":
            body |= {"workflow": "TravelBooking", "task_queue": "travel-booking"}
        return Command(id, act, statuses, body)
