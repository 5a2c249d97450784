"""Compares what came with what was asked."""

from typing import Any

from temporalio.api.history.v1 import History

from . import activity_log, history_rules
from .activity_log import Line
from .bookings import Booking, Command
from .relay import Acknowledgement, TaskAcknowledgement


def command_problems(booking: Booking, command: Command) -> list[str]:
    """Exactly its events, in sequence, each of its own run and with the command's own fields."""
    found = []
    statuses = [event.get("status") for event in command.events]
    if statuses != command.statuses:
        found.append(f"command {command.id}: events {statuses}, expected {command.statuses}")
    sequence = [event.get("sequence") for event in command.events]
    if sequence != list(range(1, len(sequence) + 1)):
        found.append(f"command {command.id}: sequence {sequence}")
    for event in command.events:
        for field in ("workflow_id", "order_id"):
            if event.get(field) != command.body[field]:
                found.append(f"command {command.id}: an event has the {field} {event.get(field)!r}")
    if command is booking.start:
        runs = {event.get("run_id") for event in command.events}
        if len(runs) > 1:
            found.append(f"command {command.id}: events of several runs: {sorted(map(str, runs))}")
    if command.statuses == ["rejected"]:
        code = "ALREADY_STARTED" if command.act == "start" else "NOT_FOUND"
        said = [(event.get("reason") or {}).get("code") for event in command.events]
        if any(each != code for each in said):
            found.append(f"command {command.id}: rejected with {said}, expected {code}")
    return found


def content_problems(booking: Booking, history: History) -> list[str]:
    """The terminal event tells what history tells."""
    if not booking.start.events or booking.door != "kafka":
        return []
    event: dict[str, Any] = booking.start.events[-1]
    if event.get("status") == "passed":
        result = event.get("result")
        expected = {"status": "passed"} | {
            part: booking.start.body["input"][part] for part in ("car", "hotel", "flight")
        }
        return [] if result == expected else [f"its result is {result}, expected {expected}"]
    if event.get("status") == "compensated":
        undone = list(history_rules.completed_in_order(list(history.events)))
        undone = [each for each in undone if each.startswith("undo_")]
        told = [each.get("compensation") for each in event.get("compensations") or []]
        failed = [each for each in event.get("compensations") or [] if each.get("status") != "compensated"]
        if told != undone or failed:
            return [f"its event tells the compensations {event.get('compensations')}, history has {undone}"]
    return []


def booking_problems(
    booking: Booking,
    history: History,
    lines: list[Line],
    acknowledged: list[Acknowledgement],
    tasks_acknowledged: list[TaskAcknowledgement],
    shown: list[History],
) -> list[str]:
    """All that is wrong with one booking."""
    found = []
    if booking.door == "kafka":
        for command in booking.commands:
            found += command_problems(booking, command)
    if broken := history_rules.form_problems(history):
        return found + broken
    found += history_rules.problems(booking, history)
    found += content_problems(booking, history)
    found += activity_log.problems(lines, acknowledged, history_rules.completed_attempts(history))
    completed = {
        history_rules.attributes(event).started_event_id
        for event in history.events
        if history_rules.name(event) == "WORKFLOW_TASK_COMPLETED"
    }
    for task in tasks_acknowledged:
        if task.started_event_id not in completed:
            found.append(
                f"the workflow task of event {task.started_event_id} was acknowledged, history doesn't have it"
            )
    for part in shown:
        if not history_rules.is_prefix(part, history):
            found.append(f"a history was shown that was lost: {history_rules.outline(part)}")
    return found


def evidence(booking: Booking, history: History | None, lines: list[Line]) -> list[str]:
    """All that is known of a booking."""
    told = [f"  booking {booking.workflow_id} ({booking.kind}, by {booking.door}), run {booking.run_id or 'unknown'}"]
    for command in booking.commands:
        events = "; ".join(f"{event.get('sequence')} {event.get('status')}" for event in command.events) or "none"
        told.append(f"    command {command.id} ({command.act}), sent {command.sent} times; events: {events}")
    told.append(f"    history: {history_rules.outline(history) if history else 'not read'}")
    told.append(f"    activities: {'; '.join(map(str, lines)) or 'none'}")
    return told
