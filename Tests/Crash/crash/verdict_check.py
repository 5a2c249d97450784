"""What the checks have to notice: right observations, each with one thing put wrong."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History

from . import verdict
from .activity_log import Line
from .bookings import Booking, Bookings
from .relay import Acknowledgement, TaskAcknowledgement


@dataclass
class Observations:
    """All that was seen of one booking."""

    booking: Booking
    history: History
    lines: list[Line]
    acknowledged: list[Acknowledgement]
    tasks: list[TaskAcknowledgement]
    shown: list[History]

    @property
    def problems(self) -> list[str]:
        return verdict.booking_problems(
            self.booking, self.history, self.lines, self.acknowledged, self.tasks, self.shown
        )


def add(history: History, kind: str, **fields: Any) -> int:
    event = history.events.add(event_id=len(history.events) + 1, event_type=EventType.Value("EVENT_TYPE_" + kind))
    attributes = getattr(event, kind.lower() + "_event_attributes")
    attributes.SetInParent()
    for name, value in fields.items():
        if name == "activity":
            attributes.activity_type.name = value
        else:
            setattr(attributes, name, value)
    return event.event_id


def compensated() -> Observations:
    """A booking whose hotel is invalid, as it has to be."""
    booking = Bookings(0, "check", ["kafka"]).make("check", "invalid hotel", "kafka")
    history, lines, acknowledged, tasks, now = History(), [], [], [], 100.0
    add(history, "WORKFLOW_EXECUTION_STARTED")
    for activity in [*booking.steps, *booking.undos, None]:
        scheduled = add(history, "WORKFLOW_TASK_SCHEDULED")
        started = add(history, "WORKFLOW_TASK_STARTED", scheduled_event_id=scheduled)
        add(history, "WORKFLOW_TASK_COMPLETED", scheduled_event_id=scheduled, started_event_id=started)
        tasks.append(TaskAcknowledgement("run", started))
        if activity is None:
            break
        scheduled = add(history, "ACTIVITY_TASK_SCHEDULED", activity=activity)
        started = add(history, "ACTIVITY_TASK_STARTED", scheduled_event_id=scheduled, attempt=1)
        lines.append(Line("run", activity, 1, "started", now, now))
        kind = "ACTIVITY_TASK_FAILED" if activity == "book_hotel" else "ACTIVITY_TASK_COMPLETED"
        add(history, kind, scheduled_event_id=scheduled, started_event_id=started)
        if kind.endswith("COMPLETED"):
            lines.append(Line("run", activity, 1, "returned", now + 1, now))
            acknowledged.append(Acknowledgement("run", activity, 1, now + 2))
        now += 10
    shown = copy.deepcopy(history)
    add(history, "WORKFLOW_EXECUTION_FAILED")
    common = {"workflow_id": booking.workflow_id, "order_id": booking.start.body["order_id"], "run_id": "run"}
    undone = [{"compensation": undo, "status": "compensated"} for undo in booking.undos]
    booking.start.events = [
        {"status": "accepted", "sequence": 1, **common},
        {"status": "compensated", "sequence": 2, "compensations": undone, **common},
    ]
    return Observations(booking, history, lines, acknowledged, tasks, [shown])


def again(seen: Observations, activity: str, **other: Any) -> None:
    line = next(line for line in seen.lines if line.activity == activity)
    seen.lines.append(replace(line, **other))


def remove_event(seen: Observations, number: int) -> None:
    del seen.history.events[number]


FAULTS: dict[str, Callable[[Observations], Any]] = {
    "an event is missing": lambda seen: seen.booking.start.events.pop(),
    "the first event is missing": lambda seen: seen.booking.start.events.pop(0),
    "an event is doubled": lambda seen: seen.booking.start.events.append(dict(seen.booking.start.events[-1])),
    "events are out of order": lambda seen: seen.booking.start.events.reverse(),
    "a sequence is wrong": lambda seen: seen.booking.start.events[1].update(sequence=3),
    "another outcome": lambda seen: seen.booking.start.events[1].update(status="failed"),
    "another run": lambda seen: seen.booking.start.events[1].update(run_id="other"),
    "a correlation field is lost": lambda seen: seen.booking.start.events[1].pop("order_id"),
    "compensations in another order": lambda seen: seen.booking.start.events[1]["compensations"].reverse(),
    "a gap in the history": lambda seen: remove_event(seen, 5),
    "no end": lambda seen: remove_event(seen, -1),
    "an event after the end": lambda seen: add(seen.history, "WORKFLOW_TASK_SCHEDULED"),
    "another end": lambda seen: setattr(
        seen.history.events[-1], "event_type", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED
    ),
    "a reference to the wrong event": lambda seen: setattr(
        seen.history.events[6].activity_task_completed_event_attributes, "started_event_id", 3
    ),
    "history shown and lost": lambda seen: setattr(
        seen.shown[0].events[2], "event_type", EventType.EVENT_TYPE_TIMER_FIRED
    ),
    "an undo that never ran": lambda seen: seen.lines.__delitem__(slice(-2, None)),
    "an activity again after its acknowledgement":
        lambda seen: again(seen, "book_car", attempt=2, time=103.0, given=102.5),
    "an attempt that was given after the acknowledgement and ran late": lambda seen: again(
        seen, "book_car", attempt=2, time=113.0, given=102.5
    ),
    "the same attempt again": lambda seen: seen.lines.insert(1, seen.lines[0]),
    "a step after its undo": lambda seen: again(seen, "book_hotel", attempt=2, time=150.0, given=149.0),
    "an acknowledged completion that history has not": lambda seen: seen.acknowledged.append(
        Acknowledgement("run", "book_hotel", 1, 115.0)
    ),
    "an acknowledged workflow task that history has not": lambda seen: seen.tasks.append(TaskAcknowledgement("run", 4)),
}


def late() -> Observations:
    """A worker was starved and ran an attempt that had timed out: the next one had completed by then."""
    seen = compensated()
    for each in seen.history.events:
        if each.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            each.activity_task_started_event_attributes.attempt = 2
            break
    first = next(line for line in seen.lines if line.activity == "book_car" and line.phase == "started")
    seen.lines = [replace(line, attempt=2) if line.activity == "book_car" else line for line in seen.lines]
    seen.lines.append(replace(first, time=104.0, given=94.0))
    seen.acknowledged[0] = replace(seen.acknowledged[0], attempt=2)
    seen.shown = []
    return seen


async def run(_: Path) -> tuple[list[str], str]:
    """The right observations pass, and every fault is noticed."""
    right = [*compensated().problems, *late().problems]
    problems = [f"right observations are blamed: {problem}" for problem in right]
    for name, spoil in FAULTS.items():
        seen = compensated()
        spoil(seen)
        if not seen.problems:
            problems.append(f"not noticed: {name}")
    return problems, f"{len(FAULTS)} faults"
