"""Records for the command topic that nobody should send, and what has to come of each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


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
        "half an object": b'{"command_id": "x"',
        "a trailing comma": b'{"command_id": "x",}',
        "two objects": b'{"command_id":"x"}{}',
        "single quotes": b"{'command_id': 'x'}",
        "a comment": b'{"command_id": "x" /* */}',
        "NaN": b'{"command_id": "x", "n": NaN}',
        "a leading zero": b'{"command_id": "x", "n": 01}',
        "binary": bytes(range(256)),
        "nothing but a quote": b'"',
        "a control character": b'{"command_id": "a\nb"}',
        "a broken escape": rb'{"command_id": "\u12"}',
        "invalid UTF-8": b'{"command_id": "x", "order_id": "\xff\xfe"}',
        "overlong UTF-8": b'{"command_id": "x", "o": "\xc0\xaf"}',
        "a surrogate in UTF-8": b'{"command_id": "x", "o": "\xed\xa0\x80"}',
        "UTF-16": '{"command_id": "x"}'.encode("utf-16"),
        "100,000 brackets": b"[" * 100_000,
        "100,000 braces": b'{"a":' * 100_000,
    }.items():
        yield letter(name, value, "INVALID_JSON NOT_AN_OBJECT")
    for name, value in {
        "an array": b'[{"command_id": "x"}]',
        "null": b"null",
        "a text": b'"x"',
        "a number": b"17",
    }.items():
        yield letter(name, value, "NOT_AN_OBJECT")
    for name, body in {
        "no id": {"command": "start"},
        "a number as id": {"command_id": 5},
        "null as id": {"command_id": None},
        "a list as id": {"command_id": []},
        "an empty id": {"command_id": ""},
        "a NUL in the id": {"command_id": "a\0b"},
        "an id of 256 characters": {"command_id": "x" * 256},
        "an id of 500,000 characters": {"command_id": "x" * 500_000},
    }.items():
        yield letter(name, body, "NO_COMMAND_ID")
    yield letter("an id twice", b'{"command_id": "a", "command_id": "b"}', "NO_COMMAND_ID")
    yield letter("a lone surrogate as id", rb'{"command_id": "\ud800"}', "NO_COMMAND_ID INVALID_JSON")
    yield Case(
        "a broken cloud event",
        b'{"specversion": "1.0", "id": 7}',
        letter="NO_COMMAND_ID INVALID_JSON",
        headers=[("content-type", b"application/cloudevents+json")],
    )
    yield Case(
        "headers that are no text", b"{", letter="INVALID_JSON", headers=[("a\xff", b"\xff\0\xfe"), ("ce_id", b"\xff")]
    )


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
    yield rejected(
        "a signal of more than 2 MB",
        f"{invalid} input",
        command="signal",
        workflow_id="w",
        signal="s",
        input="x" * (2 * 1024 * 1024 + 1),
    )
    for name, options in {
        "a duration that is none": {"execution_timeout": "soon"},
        "a negative duration": {"run_timeout": "-5s"},
        "a duration as number": {"task_timeout": 5},
        "an endless duration": {"execution_timeout": "9" * 400 + "h"},
        "a retry policy that is none": {"retry_policy": 5},
        "a policy that is unknown": {"id_reuse_policy": "perhaps"},
        "a memo that is none": {"memo": "x"},
    }.items():
        yield rejected(name, invalid, options=options)


def strange_but_right() -> Iterator[Case]:
    """Unusual commands that have to be carried out."""
    yield command("an id of 1,000 characters", PASSED, workflow_id="x" * 1000)
    yield command("an id of emoji", PASSED, workflow_id='🚗🏨✈️\n\t"\\ \u2028 \u202e')
    yield command("control characters in an id", PASSED, workflow_id="a\x01\x1b[31m\x7fb")
    yield command("an order id of an odd number", PASSED, order_id=123456789012345678901234567890)
    yield command("fields that are unknown", PASSED, more={"deep": [1, {"a": None}]}, other=None)
    yield command("extra members of the input", PASSED, input=trip(more={"a": [[[[]]]]}))
    # These the workflow refuses, not the server.
    for name, value in {
        "no input": ...,
        "null as input": None,
        "a number as input": 5,
        "a list as input": [1, 2],
    }.items():
        yield command(name, FAILED, input=value)
    yield command("attempts that are no number", FAILED, input=trip(attempts="many"))
    # The failure and its cause name what is invalid: together they are larger than a record may be.
    large = trip(flight="invalid" + "x" * 700_000)
    yield command("a failure of 1.4 MB", [("accepted", ""), ("compensated", "")], input=large)
