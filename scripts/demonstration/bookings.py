"""The bookings of the demo, and the table of their events."""

import datetime
import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

from processes import Failed, Processes, say

IS_TERMINAL = sys.stdout.isatty()
COLORS = {"passed": 32, "delivered": 32, "compensated": 33, "failed": 31, "rejected": 31, "dead letter": 31}


@dataclass
class Booking:
    """A record for the command topic."""

    what: str
    value: str
    """The record's value."""
    expected: list
    """The statuses of its events, in order."""
    command_id: str = ""
    workflow_id: str = ""
    after: tuple = ()
    """The event that must arrive first, as (command id, status); empty: published at once."""
    published: float | None = None
    events: list = field(default_factory=list)

    @property
    def outcome(self) -> str:
        return self.expected[-1] if self.expected else ""

    @property
    def is_complete(self) -> bool:
        return self.published is not None and len(self.events) >= len(self.expected)


def booking(what: str, number: str, order: str, expected: list, *, after: tuple = (), **choices: object) -> Booking:
    command = {
        "command_id": number,
        "workflow_id": f"{number}_3",
        "order_id": order,
        "workflow": "TravelBooking",
        "task_queue": "travel-booking",
        "input": {"user_id": "u-1", "car": "car-7", "hotel": "hotel-4", "flight": "flight-9", **choices},
    }
    return Booking(what, json.dumps(command), expected, number, f"{number}_3", after)


HAPPY = booking("a trip that works out", "2", "222222", ["accepted", "passed"])
SLOW = booking("an agency that stays busy", "5", "555555", ["accepted", "compensated"], attempts=1000)
CANCEL = {"command_id": "6", "command": "signal", "workflow_id": SLOW.workflow_id, "signal": "cancel_booking",
          "input": "the traveler is ill", "order_id": "555555"}
BOOKINGS = [
    HAPPY,
    booking("a flight that is not there", "3", "333333", ["accepted", "compensated"], flight="invalid-flight"),
    booking("two retries of each step", "4", "444444", ["accepted", "passed"], attempts=3),
    SLOW,
    Booking("... and is cancelled", json.dumps(CANCEL), ["delivered"], "6", SLOW.workflow_id,
            after=(SLOW.command_id, "accepted")),
    Booking("the first trip, sent again", HAPPY.value, [], after=(HAPPY.command_id, "passed")),
    Booking("a record that is no JSON", '{"command_id": "7", "workflow": ', ["dead letter"]),
]
DEAD = BOOKINGS[-1]

# Logged by `sagamore events tail` once it has read all events.
CAUGHT_UP = "waiting for new events"
# How long to wait for unexpected events after the last expected one.
QUIET_SECONDS = 1.5


class Show:
    """Publishes the bookings and shows their events."""

    def __init__(self, processes: Processes, program: str, data: str) -> None:
        self.processes = processes
        self.program = program
        self.place = ["--data-dir", data]
        self.arrived: queue.Queue = queue.Queue()
        self.surprises: list[str] = []
        for name, topic in (("events", "saga.events"), ("dead letters", "saga.commands.dlq")):
            self._listen(name, topic)
        for name in ("events", "dead letters"):
            processes.wait_for(name, lambda: CAUGHT_UP in processes.log(name), seconds=30)

    def run(self, seconds: float) -> None:
        say("publishing bookings to saga.commands; their events on saga.events:")
        print()
        self._row("TOOK", "WHAT", "COMMAND", "WORKFLOW", "STATUS", "EXPECTED", "DETAIL")
        self._publish([each for each in BOOKINGS if not each.after and each is not DEAD])
        self._publish([DEAD], "--raw")
        end = time.monotonic() + seconds
        while not all(each.is_complete for each in BOOKINGS):
            if time.monotonic() > end:
                missing = ", ".join(each.what for each in BOOKINGS if not each.is_complete)
                raise Failed(f"not all events came within {seconds:.0f} s; missing: {missing}\n"
                             f"The logs are in {self.processes.folder / 'logs'}")
            self._take(0.2)
        # A repeated record must cause no events. They would arrive at once.
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            self._take(0.1)
        print(flush=True)

    def history(self, workflow_id: str) -> None:
        done = subprocess.run([self.program, "workflow", "show", "--workflow-id", workflow_id, *self.place])
        if done.returncode != 0:
            self.surprises.append(f"'workflow show' ended with status {done.returncode}")

    def verdict(self) -> bool:
        print("\nWhat was expected, and what came:\n")
        width = max(len(each.what) for each in BOOKINGS)
        for each in BOOKINGS:
            wanted, got = (", ".join(list) or "no events" for list in (each.expected, each.events))
            mark = "ok  " if each.expected == each.events else "FAIL"
            print(f"  {mark}  {each.what:{width}}  {wanted}" + ("" if mark == "ok  " else f", but got: {got}"))
        for surprise in self.surprises:
            print(f"  FAIL  {surprise}")
        return not self.surprises and all(each.expected == each.events for each in BOOKINGS)

    # Commands

    def _listen(self, name: str, topic: str) -> None:
        command = [self.program, "events", "tail", "--topic", topic, "--follow", "--output", "json", *self.place]
        child = self.processes.start(name, command, pipe=True)

        def read() -> None:
            for line in child.stdout:
                self.arrived.put(json.loads(line))

        threading.Thread(target=read, daemon=True).start()

    def _take(self, seconds: float) -> None:
        try:
            record = self.arrived.get(timeout=seconds)
        except queue.Empty:
            self.processes.check()
            return
        if "error.code" in record.get("headers", {}):
            headers = record["headers"]
            matches, status = [DEAD] if record["value"] == DEAD.value else [], "dead letter"
            detail, at = f"{headers['error.code']}: {headers.get('error.message', '')}", headers["failed.at"]
        else:
            status, detail, at = record.get("status", ""), describe(record), record["at"]
            key = (record.get("command_id"), record.get("workflow_id"))
            matches = [each for each in BOOKINGS if (each.command_id, each.workflow_id) == key and each.command_id]
        if not matches:
            self.surprises.append(f"an event that belongs to nothing: {json.dumps(record)}")
            return
        self._show(matches[0], at, status, detail)
        for each in BOOKINGS:
            if each.published is None and each.after == (matches[0].command_id, status):
                self._publish([each])

    def _show(self, each: Booking, at: str, status: str, detail: str) -> None:
        index = len(each.events)
        each.events.append(status)
        expected = each.expected[index] if index < len(each.expected) else "nothing more"
        took = f"{max(seconds_of(at) - each.published, 0) * 1000:.0f} ms"
        mark = "as expected" if expected == status else f"expected: {expected}"
        self._row(took, each.what, each.command_id, each.workflow_id, status, mark, detail)

    # Events

    def _publish(self, bookings: list, *options: str) -> None:
        command = [self.program, "command", "publish", "-", "--output", "json", *options, *self.place]
        lines = "".join(each.value + "\n" for each in bookings)
        done = subprocess.run(command, input=lines, text=True, capture_output=True)
        if done.returncode != 0:
            raise Failed(f"a booking could not be published: {done.stderr.strip()}")
        for each, line in zip(bookings, done.stdout.splitlines()):
            each.published = seconds_of(json.loads(line)["at"])
            if not each.expected:
                self._row("", each.what, HAPPY.command_id, HAPPY.workflow_id, "(published)", "no events", "")

    @staticmethod
    def _row(took, what, command, workflow, status, expected, detail) -> None:
        width = max(len(each.what) for each in BOOKINGS)
        cell = f"{status:11}"
        if IS_TERMINAL and status in COLORS:
            cell = f"\033[{COLORS[status]}m{cell}\033[0m"
        line = f"{took:>8}  {what:{width}}  {command:7}  {workflow:8}  {cell}  {expected:11}  {detail}"
        print(line.rstrip(), flush=True)


def seconds_of(time_text: str) -> float:
    return datetime.datetime.fromisoformat(time_text.replace("Z", "+00:00")).timestamp()


def describe(event: dict) -> str:
    """An event without its status, in one line."""
    if "result" in event:
        return json.dumps(event["result"])
    if event.get("compensations"):
        failure = event.get("failure", {})
        while failure.get("cause"):
            failure = failure["cause"]
        undone = ", ".join(each["compensation"] for each in event["compensations"])
        return f"{failure.get('message', '')}; undone: {undone}"
    if "reason" in event:
        return f"{event['reason'].get('code')}: {event['reason'].get('message')}"
    return ""
