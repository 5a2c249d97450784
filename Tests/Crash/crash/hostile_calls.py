"""Rubbish at the gRPC door: each call gets a clear status, and the next booking passes."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import service_pb2
from temporalio.client import Client  # noqa: F401  (registers all messages)

from .outages import Outages
from .relay import OPTIONS, SERVICE
from .world import World

METHODS = {each.name: each for each in service_pb2.DESCRIPTOR.services_by_name["WorkflowService"].methods}
NAMESPACES_OWN = {"ListNamespaces", "GetSystemInfo", "GetClusterInfo"}
"""Calls that are right without any field."""
POLLS = {"PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue", "PollWorkflowExecutionUpdate"}
ANSWERED = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "FAILED_PRECONDITION",
            "UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "OUT_OF_RANGE"}  # fmt: skip
"""What a server says that has understood what is wrong."""
UNREADABLE = {"INVALID_ARGUMENT", "INTERNAL", "UNIMPLEMENTED", "RESOURCE_EXHAUSTED"}
LARGE = 2 * 1024 * 1024 + 1


@dataclass
class Case:
    name: str
    method: str
    request: "bytes | Message"
    expected: set[str]
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def bytes(self) -> bytes:
        return self.request if isinstance(self.request, bytes) else self.request.SerializeToString()


def make(method: str, **fields: Any) -> Any:
    """A request of a method."""
    return METHODS[method].input_type._concrete_class(**fields)


def start(**fields: Any) -> Any:
    request = make("StartWorkflowExecution", namespace="default", workflow_id="hostile", request_id="r")
    request.workflow_type.name, request.task_queue.name = "TravelBooking", "nobody-polls-here"
    for name, value in fields.items():
        if name in ("workflow_type", "task_queue"):
            getattr(request, name).name = value
        elif isinstance(value, Message):
            getattr(request, name).CopyFrom(value)
        else:
            setattr(request, name, value)
    return request


def blob(size: int) -> Payloads:
    return Payloads(payloads=[Payload(data=b"x" * size)])


def execution(workflow_id: str = "nobody", run_id: str = "") -> WorkflowExecution:
    return WorkflowExecution(workflow_id=workflow_id, run_id=run_id)


def wrong_fields() -> Iterator[Case]:
    bad = {"INVALID_ARGUMENT"}
    long, absent = "x" * 1001, {"NOT_FOUND"}
    for name, value in {"empty": "", "long": long, "NUL": "a\0b"}.items():
        for field in ("workflow_id", "workflow_type", "task_queue"):
            yield Case(f"{name} {field}", "StartWorkflowExecution", start(**{field: value}), bad)
        yield Case(f"{name} namespace", "StartWorkflowExecution", start(namespace=value), bad | absent)
    for field in ("request_id", "identity"):
        yield Case(f"long {field}", "StartWorkflowExecution", start(**{field: long}), bad)
        yield Case(f"NUL in {field}", "StartWorkflowExecution", start(**{field: "a\0b"}), bad)
    yield Case("an unknown namespace", "StartWorkflowExecution", start(namespace="nowhere"), absent)
    yield Case("an input of more than 2 MB", "StartWorkflowExecution", start(input=blob(LARGE)), bad)
    yield Case("an input of 20 MB", "StartWorkflowExecution", start(input=blob(20_000_000)), bad | {"RESOURCE_EXHAUSTED"})
    for method in METHODS:
        if "workflow_execution" in METHODS[method].input_type.fields_by_name and method.startswith(
            ("Signal", "RequestCancel", "Terminate")
        ):
            more = {"signal_name": "s"} if method.startswith("SignalWorkflow") else {}
            if method == "SignalWithStartWorkflowExecution":
                continue
            for name, which, expected in (
                ("nobody", execution(), absent),
                ("no workflow", execution(""), bad),
                ("a long id", execution(long), bad | absent),
                ("a NUL", execution("a\0b"), bad),
                ("a run id that is none", execution("nobody", "none"), bad),
            ):
                request = make(method, namespace="default", workflow_execution=which, **more)
                yield Case(f"{method} of {name}", method, request, expected)
    yield Case("a signal of more than 2 MB", "SignalWorkflowExecution", make("SignalWorkflowExecution",
               namespace="default", workflow_execution=execution(), signal_name="s", input=blob(LARGE)), bad)  # fmt: skip
    yield Case("a signal without a name", "SignalWorkflowExecution", make("SignalWorkflowExecution",
               namespace="default", workflow_execution=execution()), bad | absent)  # fmt: skip
    for method in ("GetWorkflowExecutionHistory", "DescribeWorkflowExecution", "QueryWorkflow"):
        request = make(method, namespace="default", execution=execution())
        yield Case(f"{method} of nobody", method, request, absent | bad)
    yield Case("a page token that is none", "GetWorkflowExecutionHistory", make("GetWorkflowExecutionHistory",
               namespace="default", execution=execution(), next_page_token=b"rubbish"), bad)  # fmt: skip
    for method in METHODS:
        if method.startswith("Respond") or method == "RecordActivityTaskHeartbeat":
            fields = METHODS[method].input_type.fields_by_name
            for name, token in {"empty": b"", "short": b"x", "rubbish": bytes(range(256)), "long": b"\xff" * 5000}.items():
                if "task_token" in fields:
                    request = make(method, namespace="default", task_token=token)
                    yield Case(f"{method} with a token that is {name}", method, request, bad | absent | {"UNIMPLEMENTED"})
    for method in ("PollWorkflowTaskQueue", "PollActivityTaskQueue"):
        for name, queue in {"empty": "", "long": long, "NUL": "a\0b"}.items():
            request = make(method, namespace="default")
            request.task_queue.name = queue
            yield Case(f"{method} of a queue that is {name}", method, request, bad)


def unreadable() -> Iterator[Case]:
    rubbish = {
        "a length beyond the end": b"\x0a\xff\xff\xff\xff\x0f", "an endless varint": b"\xff" * 20, "a group's end": b"\x0c",
        "field number 0": b"\x00\x01", "a wire type that is none": b"\x0f", "half a fixed64": b"\x09\x01",
        "a huge length": b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    }  # fmt: skip
    for method in METHODS:
        for name, value in rubbish.items():
            yield Case(f"{method} with {name}", method, value, UNREADABLE)
    # Field 1 of all these is a text.
    for method in ("StartWorkflowExecution", "SignalWorkflowExecution", "PollActivityTaskQueue", "DescribeWorkflowExecution"):
        yield Case(f"{method} with invalid UTF-8", method, b"\x0a\x02\xff\xfe", UNREADABLE)
    nested = b""
    for _ in range(1000):
        nested = b"\x22" + varint(len(nested)) + nested
    yield Case("1,000 failures in each other", "RespondActivityTaskFailed", b"\x12" + varint(len(nested)) + nested, UNREADABLE)
    yield Case("a method that is none", "Explode", b"", {"UNIMPLEMENTED"})


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def empty() -> Iterator[Case]:
    for method in METHODS:
        expected = ANSWERED if method in NAMESPACES_OWN else ANSWERED - {"OK"}
        if method in ("UpdateWorkerVersioningRules", "ShutdownWorker"):
            expected = ANSWERED
        yield Case(f"{method} without anything", method, b"", expected)


def mutated(seed: int) -> Iterator[Case]:
    """Right requests with some bytes changed: any answer will do that is one."""
    chance = random.Random(f"bytes {seed}")
    right = [case for case in wrong_fields() if len(case.bytes) < 2000]
    right.append(Case("", "StartWorkflowExecution", start(input=blob(50)), set()))
    for number in range(400):
        case = chance.choice(right)
        value = bytearray(case.bytes) or bytearray(b"\0")
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(value))
            match chance.randrange(3):
                case 0:
                    value[place] = chance.randrange(256)
                case 1:
                    del value[place:]
                    value = value or bytearray(b"\0")
                case _:
                    value[place:place] = chance.randbytes(chance.randint(1, 9))
        yield Case(f"mutation {number} of {case.method}: {bytes(value).hex()[:200]}", case.method, bytes(value), ANSWERED | UNREADABLE)


class Caller:
    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, OPTIONS)
        self.statuses: Counter[str] = Counter()
        self.problems: list[str] = []

    async def call(self, case: Case) -> None:
        long_poll = case.method in POLLS
        began = time.monotonic()
        try:
            seconds = 2 if long_poll else 15
            await self.channel.unary_unary(SERVICE + case.method)(case.bytes, timeout=seconds, metadata=case.metadata)
            status, details = "OK", ""
        except grpc.aio.AioRpcError as error:
            status, details = error.code().name, error.details() or ""
        self.statuses[status] += 1
        waits = long_poll and status == "DEADLINE_EXCEEDED" and case.expected >= ANSWERED
        if status not in case.expected and not waits:
            took = time.monotonic() - began
            self.problems.append(
                f"{case.name}: {status} ({details[:150]}) after {took:.1f} s, expected {' or '.join(sorted(case.expected))}"
            )

    async def batch(self, cases: list[Case]) -> None:
        places = asyncio.Semaphore(20)

        async def one(case: Case) -> None:
            async with places:
                await self.call(case)

        await asyncio.gather(*(one(case) for case in cases))


def noise(port: int, seed: int) -> None:
    """What is no gRPC at all, and connections that say nothing."""
    chance = random.Random(f"noise {seed}")
    idle = []
    for value in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 1000,
        chance.randbytes(5000),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + chance.randbytes(500),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x00\x00\x00\x00\x00\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(300),
        b"",
    ):
        connection = socket.create_connection(("127.0.0.1", port), 5)
        connection.sendall(value)
        idle.append(connection)
    for connection in idle:
        connection.close()


async def run(folder: Path, seed: int) -> tuple[list[str], str]:
    world = World(folder, with_kafka=False)
    try:
        await world.start()
        outages, caller = Outages(world, "hostile"), Caller(world.server.address)
        for name, cases in (
            ("empty requests", empty()),
            ("wrong fields", wrong_fields()),
            ("unreadable requests", unreadable()),
            ("mutated requests", mutated(seed)),
        ):
            await caller.batch(list(cases))
            await outages.book("grpc", f"after {name}")
            if not world.server.runs:
                outages.problems.append(f"after {name} the server has ended: {world.server.last_words()}")
                break
        else:
            await asyncio.to_thread(noise, world.server.port, seed)
            await outages.book("grpc", "after noise")
            world.server.check_runs()
        await caller.channel.close()
        await world.stop()
        summary = f"{caller.statuses.total()} calls: {', '.join(f'{count} {name}' for name, count in caller.statuses.most_common())}"
        return caller.problems + world.problems + world.door.problems, summary
    finally:
        world.clean()
