"""What holds for the history of a booking, whatever was killed meanwhile."""

from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History

from .bookings import Booking

CLOSING = {
    "WORKFLOW_EXECUTION_COMPLETED": {"passed"},
    "WORKFLOW_EXECUTION_FAILED": {"compensated", "failed"},
    "WORKFLOW_EXECUTION_CANCELED": {"cancelled"},
    "WORKFLOW_EXECUTION_TERMINATED": {"terminated"},
    "WORKFLOW_EXECUTION_TIMED_OUT": {"timed_out"},
}


def name(event: Any) -> str:
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")


def attributes(event: Any) -> Any:
    return getattr(event, event.WhichOneof("attributes"))


def outline(history: History) -> str:
    """A history in one line, for a reader who looks for what went wrong."""
    words = []
    for event in history.events:
        detail = ""
        if name(event) == "ACTIVITY_TASK_SCHEDULED":
            detail = f"({attributes(event).activity_type.name})"
        elif name(event) == "ACTIVITY_TASK_STARTED":
            detail = f"({attributes(event).scheduled_event_id}, attempt {attributes(event).attempt})"
        words.append(f"{event.event_id} {name(event)}{detail}")
    return ", ".join(words)


def completed_attempts(history: History) -> dict[str, int]:
    """The attempt of each activity that completed."""
    events = {event.event_id: event for event in history.events}
    completed = {}
    for event in history.events:
        if name(event) == "ACTIVITY_TASK_COMPLETED":
            scheduled = attributes(events[attributes(event).scheduled_event_id])
            started = attributes(events[attributes(event).started_event_id])
            completed[scheduled.activity_type.name] = started.attempt
    return completed


def form_problems(history: History) -> list[str]:
    """What is wrong with any history. Only one without can be looked at further."""
    events = list(history.events)
    if not events:
        return ["the history is empty"]
    if [event.event_id for event in events] != list(range(1, len(events) + 1)):
        return [f"event ids are not gapless: {[event.event_id for event in events]}"]
    return references(events)


def problems(booking: Booking, history: History) -> list[str]:
    """What is wrong with the history of this booking, whose form is right."""
    events, found = list(history.events), []
    names = [name(event) for event in events]
    if names[:1] != ["WORKFLOW_EXECUTION_STARTED"]:
        found.append(f"it begins with {names[:1]}")
    closing = [each for each in names if each in CLOSING]
    if len(closing) != 1 or names[-1] not in CLOSING:
        found.append(f"it is not closed exactly once, at its end: {closing or 'never'}")
    elif booking.status not in CLOSING[closing[0]]:
        found.append(f"it ends with {closing[0]}, expected {booking.status}")
    for event, following in zip(events, events[1:], strict=False):
        if name(event) == "WORKFLOW_TASK_FAILED" and name(following) != "WORKFLOW_EXECUTION_TERMINATED":
            found.append(f"a workflow task failed: {attributes(event).failure.message or attributes(event).cause}")
    return found + order(booking, events) + requests(booking, names)


def references(events: list[Any]) -> list[str]:
    """Every event that refers to an earlier one refers to one of the right kind, and none is answered twice."""
    found, answered = [], set()
    for event in events:
        own, fields = name(event), attributes(event)
        for subject in ("WORKFLOW_TASK", "ACTIVITY_TASK"):
            if not own.startswith(subject + "_") or own.endswith("_SCHEDULED") or own.endswith("CANCEL_REQUESTED"):
                continue
            for field, kind in (("scheduled_event_id", "SCHEDULED"), ("started_event_id", "STARTED")):
                number = getattr(fields, field, 0)
                if number == 0 and not (field == "scheduled_event_id"):
                    continue  # closed before it was started
                if not 0 < number < event.event_id or name(events[number - 1]) != f"{subject}_{kind}":
                    found.append(f"event {event.event_id} {own} has the {field} {number}")
            state = "STARTED" if own.endswith("_STARTED") else "closed"
            if (state, fields.scheduled_event_id) in answered:
                found.append(f"event {fields.scheduled_event_id} is {state} twice, again by {event.event_id} {own}")
            answered.add((state, fields.scheduled_event_id))
    return found


def order(booking: Booking, events: list[Any]) -> list[str]:
    """The steps in order, then the undos of all that was tried, in reverse; each scheduled once."""
    scheduled = [attributes(event).activity_type.name for event in events if name(event) == "ACTIVITY_TASK_SCHEDULED"]
    expected = booking.steps + booking.undos
    if booking.is_given_up and scheduled in ([], booking.undos):
        return []  # before the first step was tried; its undo was registered or not
    if booking.status == "terminated" and scheduled == expected[: len(scheduled)]:
        return []
    if scheduled != expected:
        return [f"activities {scheduled}, expected {expected}"]
    completed = list(completed_in_order(events))
    undos = [each for each in completed if each.startswith("undo_")]
    return [f"undone: {undos}, expected {booking.undos}"] if undos != booking.undos else []


def completed_in_order(events: list[Any]) -> Any:
    for event in events:
        if name(event) == "ACTIVITY_TASK_COMPLETED":
            yield attributes(events[attributes(event).scheduled_event_id - 1]).activity_type.name


def requests(booking: Booking, names: list[str]) -> list[str]:
    """A signal or a cancel request that was sent again and again is there once."""
    found = []
    acts = [command.act for command in booking.commands if command.statuses == ["delivered"]]
    for act, event in (
        ("signal", "WORKFLOW_EXECUTION_SIGNALED"),
        ("cancel", "WORKFLOW_EXECUTION_CANCEL_REQUESTED"),
        ("terminate", "WORKFLOW_EXECUTION_TERMINATED"),
    ):
        if names.count(event) != acts.count(act):
            found.append(f"{event} is there {names.count(event)} times, expected {acts.count(act)}")
    return found


def is_prefix(part: History, whole: History) -> bool:
    """What was shown once has to stay.

    Except that a workflow task runs: that is shown as long as it does, and is written when it is completed. From its
    second attempt on it is shown as soon as it is due.
    """
    events = list(part.events)
    if events and name(events[-1]) == "WORKFLOW_TASK_STARTED":
        events.pop()
    if events and name(events[-1]) == "WORKFLOW_TASK_SCHEDULED" and attributes(events[-1]).attempt > 1:
        events.pop()
    shown = [event.SerializeToString(deterministic=True) for event in events]
    final = [event.SerializeToString(deterministic=True) for event in whole.events]
    return final[: len(shown)] == shown
