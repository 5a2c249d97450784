"""Rubbish on the command topic: each record gets a dead letter or a clear event, and every partition goes on."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from .bookings import Bookings
from .topics import COMMANDS, DEAD_LETTERS, EVENTS, Publisher, Reader, Record
from .world import World

PARTITIONS = 8
PATIENCE = 60.0
LARGE = 400_000


@dataclass
class Case:
    """One record, and what has to come of it."""

    name: str
    value: bytes | None
    letter: str = ""
    """The error code of the dead letter that has to come, any of several; no letter when empty."""
    events: list[tuple[str, str]] = field(default_factory=list)
    """The events that have to come: status, and for a rejection `code` or `code field`."""
    command_id: str = ""
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def letter(name: str, value: "bytes | dict[str, Any] | None", code: str) -> Case:
    return Case(name, json.dumps(value).encode() if isinstance(value, dict) else value, letter=code)


def rejected(name: str, code: str, **members: Any) -> Case:
    return command(name, [("rejected", code)], **members)


def command(name: str, events: list[tuple[str, str]], **members: Any) -> Case:
    id = "hostile " + name
    body = {"command_id": id, "workflow": "TravelBooking", "task_queue": "travel-booking", "input": trip()} | members
    body = {key: value for key, value in body.items() if value is not ...}
    return Case(name, json.dumps(body).encode(), events=events, command_id=id)


def trip(**more: Any) -> dict[str, Any]:
    return {"user_id": "u", "car": "c", "hotel": "h", "flight": "f", "attempts": 1} | more


PASSED = [("accepted", ""), ("passed", "")]
FAILED = [("accepted", ""), ("failed", "")]


def unreadable() -> Iterator[Case]:
    yield letter("no value", None, "NO_VALUE")
    yield letter("an empty value", b"", "INVALID_JSON NOT_AN_OBJECT NO_VALUE")
    for name, value in {
        "half an object": b'{"command_id": "x"', "a trailing comma": b'{"command_id": "x",}', "two objects": b'{"command_id":"x"}{}',
        "single quotes": b"{'command_id': 'x'}", "a comment": b'{"command_id": "x" /* */}', "NaN": b'{"command_id": "x", "n": NaN}',
        "a leading zero": b'{"command_id": "x", "n": 01}', "binary": bytes(range(256)), "nothing but a quote": b'"',
        "a control character": b'{"command_id": "a\nb"}', "a broken escape": rb'{"command_id": "\u12"}',
        "invalid UTF-8": b'{"command_id": "x", "order_id": "\xff\xfe"}', "overlong UTF-8": b'{"command_id": "x", "o": "\xc0\xaf"}',
        "a surrogate in UTF-8": b'{"command_id": "x", "o": "\xed\xa0\x80"}', "UTF-16": '{"command_id": "x"}'.encode("utf-16"),
        "100,000 brackets": b"[" * 100_000, "100,000 braces": b'{"a":' * 100_000,
    }.items():  # fmt: skip
        yield letter(name, value, "INVALID_JSON NOT_AN_OBJECT")
    for name, value in {"an array": b'[{"command_id": "x"}]', "null": b"null", "a text": b'"x"', "a number": b"17"}.items():
        yield letter(name, value, "NOT_AN_OBJECT")
    for name, body in {
        "no id": {"command": "start"}, "a number as id": {"command_id": 5}, "null as id": {"command_id": None},
        "a list as id": {"command_id": []}, "an empty id": {"command_id": ""}, "a NUL in the id": {"command_id": "a\0b"},
        "an id of 256 characters": {"command_id": "x" * 256}, "an id of 500,000 characters": {"command_id": "x" * 500_000},
    }.items():  # fmt: skip
        yield letter(name, body, "NO_COMMAND_ID")
    yield letter("an id twice", b'{"command_id": "a", "command_id": "b"}', "NO_COMMAND_ID")
    yield letter("a lone surrogate as id", rb'{"command_id": "\ud800"}', "NO_COMMAND_ID INVALID_JSON")
    yield Case("a broken cloud event", b'{"specversion": "1.0", "id": 7}', letter="NO_COMMAND_ID INVALID_JSON",
               headers=[("content-type", b"application/cloudevents+json")])  # fmt: skip
    yield Case("headers that are no text", b"{", letter="INVALID_JSON", headers=[("a\xff", b"\xff\0\xfe"), ("ce_id", b"\xff")])


def refused() -> Iterator[Case]:
    invalid = "INVALID_ARGUMENT"
    yield rejected("an unknown command", f"{invalid} command", command="explode")
    yield rejected("an empty command", f"{invalid} command", command="")
    for name in ("command", "workflow", "workflow_id", "run_id", "namespace", "task_queue", "signal", "reason"):
        for kind, value in {"number": 5, "list": [], "object": {"a": 1}, "boolean": True}.items():
            yield rejected(f"a {kind} as {name}", f"{invalid} {name}", **{name: value})
    yield rejected("a number as input_is_arguments", f"{invalid} input_is_arguments", input_is_arguments=1)
    yield rejected("a list as options", f"{invalid} options", options=[])
    for name in ("workflow", "workflow_id", "task_queue", "namespace"):
        yield rejected(f"an empty {name}", invalid, **{name: ""})
        yield rejected(f"a NUL in {name}", invalid, **{name: "a\0b"})
        yield rejected(f"1,001 characters in {name}", invalid, **{name: "x" * 1001})
        yield rejected(f"1,001 bytes in {name}", invalid, **{name: "ä" * 500 + "x"})
    yield rejected("an unknown namespace", "NOT_FOUND", namespace="nowhere")
    yield rejected("no workflow type", f"{invalid} workflow", workflow=...)
    yield rejected("no task queue", f"{invalid} task_queue", task_queue=...)
    for name in ("status", "sequence", "at", "result", "failure", "compensations", "result_omitted"):
        yield rejected(f"a correlation field {name}", f"{invalid} {name}", **{name: "x"})
    yield rejected("correlation fields of 100,000 bytes", invalid, order_id="x" * 100_000)
    yield rejected("100,000 correlation fields", invalid, **{f"f{number}": number for number in range(100_000)})
    yield rejected("no signal's name", f"{invalid} signal", command="signal", workflow_id="w")
    yield rejected("a run id that is none", invalid, command="cancel", workflow_id="w", run_id="none")
    for act in ("signal", "cancel", "terminate"):
        yield rejected(f"{act} of nobody", "NOT_FOUND", command=act, workflow_id="nobody", signal="s")
    yield rejected("an input of more than 2 MB", f"{invalid} input", input="x" * (2 * 1024 * 1024 + 1))
    yield rejected("a signal of more than 2 MB", f"{invalid} input", command="signal", workflow_id="w", signal="s",
                   input="x" * (2 * 1024 * 1024 + 1))  # fmt: skip
    for name, options in {
        "a duration that is none": {"execution_timeout": "soon"}, "a negative duration": {"run_timeout": "-5s"},
        "a duration as number": {"task_timeout": 5}, "an endless duration": {"execution_timeout": "9" * 400 + "h"},
        "a retry policy that is none": {"retry_policy": 5}, "a policy that is unknown": {"id_reuse_policy": "perhaps"},
        "a memo that is none": {"memo": "x"},
    }.items():  # fmt: skip
        yield rejected(name, invalid, options=options)


def strange_but_right() -> Iterator[Case]:
    """Unusual commands that have to be carried out."""
    yield command("an id of 1,000 characters", PASSED, workflow_id="x" * 1000)
    yield command("an id of emoji", PASSED, workflow_id="🚗🏨✈️\n\t\"\\ \u2028 \u202e")
    yield command("control characters in an id", PASSED, workflow_id="a\x01\x1b[31m\x7fb")
    yield command("an order id of an odd number", PASSED, order_id=123456789012345678901234567890)
    yield command("fields that are unknown", PASSED, more={"deep": [1, {"a": None}]}, other=None)
    yield command("extra members of the input", PASSED, input=trip(more={"a": [[[[]]]]}))
    # These the workflow refuses, not the server.
    for name, value in {"no input": ..., "null as input": None, "a number as input": 5, "a list as input": [1, 2]}.items():
        yield command(name, FAILED, input=value)
    yield command("attempts that are no number", FAILED, input=trip(attempts="many"))
    # The failure and its cause name what is invalid: together they are larger than a record may be.
    large = trip(flight="invalid" + "x" * 700_000)
    yield command("a failure of 1.4 MB", [("accepted", ""), ("compensated", "")], input=large)


@dataclass
class Inbox:
    """What came back."""

    letters: list[Record] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    def take(self, record: Record) -> None:
        if record.topic == DEAD_LETTERS:
            self.letters.append(record)
            return
        try:
            event = record.event
        except ValueError:
            self.strange.append(f"an event is no JSON object: {record.value[:200]!r}")
            return
        self.events.setdefault(str(event.get("command_id")), []).append(event)


class Hostile:
    def __init__(self, world: World) -> None:
        self.world = world
        assert world.kafka
        self.publisher = Publisher(world.kafka.address)
        self.inbox = Inbox()
        self.reader = Reader(world.kafka.address, self.inbox.take)
        self.problems: list[str] = []
        self.sources = Bookings(0, "hostile", ["kafka"])
        self.sent = 0

    def publish(self, case: Case) -> None:
        """Each partition gets its share."""
        key = f"key {case.name}".encode()
        producer, partition = self.publisher.producer, self.sent % PARTITIONS
        headers = [("test", case.name.encode()), *case.headers]
        producer.produce(COMMANDS, case.value, key, partition, headers=headers, on_delivery=self.delivered)
        producer.poll(0)
        self.sent += 1

    def delivered(self, error: Any, _: Any) -> None:
        if error is not None:
            self.problems.append(f"a record could not be published: {error}")

    async def until(self, condition: Any, seconds: float = PATIENCE) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            self.publisher.producer.poll(0)
            if self.reader.failure or not self.world.server.runs or time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def batch(self, name: str, cases: list[Case]) -> None:
        """Publishes the cases, then a normal booking into every partition, and looks at what came of all."""
        for case in cases:
            self.publish(case)
        await self.all_go_on(name)
        await self.until(lambda: not any(self.verdict(case) for case in cases), 20)
        for case in cases:
            self.problems += [f"{name}: {case.name}: {problem}" for problem in self.verdict(case)]
        self.problems += self.inbox.strange
        self.inbox.strange = []

    async def all_go_on(self, name: str) -> None:
        """A normal booking of each partition passes."""
        normal = []
        for _ in range(PARTITIONS):
            self.sources.made += 1
            case = command(f"normal {self.sources.made}", PASSED)
            self.publish(case)
            normal.append(case)
        if not await self.until(lambda: not any(self.verdict(case) for case in normal)):
            stuck = [f"{case.name}: {problem}" for case in normal for problem in self.verdict(case)]
            self.problems.append(f"after {name} not every partition goes on: {stuck}")
        if not self.world.server.runs:
            self.problems.append(f"after {name} the server has ended: {self.world.server.last_words()}")

    def verdict(self, case: Case) -> list[str]:
        letters = [each for each in self.inbox.letters if each.headers.get("test") == case.name.encode()]
        found = []
        if bool(letters) != bool(case.letter) or len(letters) > 1:
            found.append(f"{len(letters)} dead letters, expected {1 if case.letter else 0}")
        for each in letters:
            found += self.letter_problems(case, each)
        if not case.command_id:
            return found
        events = self.inbox.events.get(case.command_id, [])
        statuses = [event.get("status") for event in events]
        if statuses != [status for status, _ in case.events]:
            reasons = [event.get("reason") or event.get("failure") for event in events]
            found.append(f"events {statuses} {str(reasons)[:200]}, expected {[status for status, _ in case.events]}")
        for event, (status, code) in zip(events, case.events, strict=False):
            reason = event.get("reason") or {}
            if status == "rejected":
                expected, _, where = code.partition(" ")
                if reason.get("code") != expected or not str(reason.get("message", "")).startswith(where):
                    found.append(f"rejected with {reason}, expected {code}")
        return found

    def letter_problems(self, case: Case, record: Record) -> list[str]:
        """The record as it came, what is wrong with it, and where it was."""
        found = []
        if record.value != (case.value or b"") or record.key != f"key {case.name}".encode():
            found.append("its dead letter has another key or value")
        if record.headers.get("error.code", b"").decode() not in case.letter.split():
            found.append(f"its dead letter has the code {record.headers.get('error.code')!r}, expected {case.letter}")
        for name in ("error.message", "source.topic", "source.partition", "source.offset", "failed.at"):
            if not record.headers.get(name):
                found.append(f"its dead letter has no header {name}")
        for name, value in case.headers:
            if record.headers.get(name) != value:
                found.append(f"its dead letter lost the header {name!r}")
        return found

    async def large_results(self) -> None:
        """A result that is larger than a record may be: its event goes without it, and so do those behind it."""
        parts = {part: part + "x" * LARGE for part in ("car", "hotel", "flight")}
        # The producer's own limit is 1 MB; this result has 1.2.
        await self.large("a result of 1.2 MB", parts)
        # The broker's limit for the topic is another matter: it is found out when the broker refuses the record.
        assert self.world.kafka
        admin = AdminClient({"bootstrap.servers": self.world.kafka.address, "log_level": 0})
        entry = ConfigEntry("max.message.bytes", "100000", incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, EVENTS, incremental_configs=[entry])
        await asyncio.to_thread(lambda: [each.result(30) for each in admin.incremental_alter_configs([resource]).values()])
        await self.large("a result that the topic refuses", {part: part + "x" * 60_000 for part in parts})

    async def large(self, name: str, parts: dict[str, str]) -> None:
        case = command(name, PASSED, input=trip(**parts))
        await self.batch(name, [case])
        last = self.inbox.events.get(case.command_id, [{}])[-1]
        if last.get("status") == "passed" and (last.get("result_omitted") is not True or "result" in last):
            self.problems.append(f"{name}: the event has the members {sorted(last)}, expected result_omitted")


async def run(folder: Path) -> tuple[list[str], str]:
    world = World(folder, with_kafka=True, kafka_settings={"message.max.bytes": "8000000"})
    try:
        await world.start()
        hostile = Hostile(world)
        await asyncio.to_thread(hostile.reader.start)
        await hostile.all_go_on("the start")
        await hostile.batch("unreadable records", list(unreadable()))
        await hostile.batch("refused commands", list(refused()))
        await hostile.batch("strange commands", list(strange_but_right()))
        await hostile.large_results()
        hostile.publisher.flush(10)
        await asyncio.to_thread(hostile.reader.stop)
        world.problems.clear()  # the world's own reader knows none of these commands
        await world.stop()
        return hostile.problems + hostile.publisher.problems, f"{hostile.sent} records"
    finally:
        world.clean()
