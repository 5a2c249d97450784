"""Calls that nobody should make, and what may be answered."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import service_pb2

METHODS = {each.name: each for each in service_pb2.DESCRIPTOR.services_by_name["WorkflowService"].methods}
NAMESPACES_OWN = {"ListNamespaces", "GetSystemInfo", "GetClusterInfo", "GetSearchAttributes"}
"""Calls that are right without any field."""
POLLS = {"PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue", "PollWorkflowExecutionUpdate"}
ANSWERED = {
    "OK",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "FAILED_PRECONDITION",
    "UNIMPLEMENTED",
    "RESOURCE_EXHAUSTED",
    "OUT_OF_RANGE",
}
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


BAD = {"INVALID_ARGUMENT"}
ABSENT = {"NOT_FOUND"}
LONG = "x" * 1001


def wrong_fields() -> Iterator[Case]:
    for name, value in {"empty": "", "long": LONG, "NUL": "a\0b"}.items():
        for field in ("workflow_id", "workflow_type", "task_queue"):
            yield Case(f"{name} {field}", "StartWorkflowExecution", start(**{field: value}), BAD)
        yield Case(f"{name} namespace", "StartWorkflowExecution", start(namespace=value), BAD | ABSENT)
    for name, value in {"long": LONG, "NUL": "a\0b"}.items():
        yield Case(f"{name} request_id", "StartWorkflowExecution", start(request_id=value), BAD)
        # No index and no log has an identity: history repeats it as it came.
        yield Case(f"{name} identity", "StartWorkflowExecution", start(identity=value), BAD | {"OK"})
    yield Case("an unknown namespace", "StartWorkflowExecution", start(namespace="nowhere"), ABSENT)
    yield Case("an input of more than 2 MB", "StartWorkflowExecution", start(input=blob(LARGE)), BAD)
    yield Case(
        "an input of 20 MB", "StartWorkflowExecution", start(input=blob(20_000_000)), BAD | {"RESOURCE_EXHAUSTED"}
    )
    for method in ("PollWorkflowTaskQueue", "PollActivityTaskQueue"):
        for name, queue in {"empty": "", "long": LONG, "NUL": "a\0b"}.items():
            request = make(method, namespace="default")
            request.task_queue.name = queue
            yield Case(f"{method} of a queue that is {name}", method, request, BAD)
    yield from wrong_references()
    yield from wrong_tokens()


def wrong_references() -> Iterator[Case]:
    """Calls that name a workflow or a run that is not there, or cannot be."""
    for method in METHODS:
        if "workflow_execution" in METHODS[method].input_type.fields_by_name and method.startswith(
            ("Signal", "RequestCancel", "Terminate")
        ):
            more = {"signal_name": "s"} if method.startswith("SignalWorkflow") else {}
            if method == "SignalWithStartWorkflowExecution":
                continue
            for name, which, expected in (
                ("nobody", execution(), ABSENT),
                ("no workflow", execution(""), BAD),
                ("a long id", execution(LONG), BAD | ABSENT),
                ("a NUL", execution("a\0b"), BAD),
                ("a run id that is none", execution("nobody", "none"), BAD),
            ):
                request = make(method, namespace="default", workflow_execution=which, **more)
                yield Case(f"{method} of {name}", method, request, expected)
    yield Case(
        "a signal of more than 2 MB",
        "SignalWorkflowExecution",
        make(
            "SignalWorkflowExecution",
            namespace="default",
            workflow_execution=execution(),
            signal_name="s",
            input=blob(LARGE),
        ),
        BAD,
    )
    yield Case(
        "a signal without a name",
        "SignalWorkflowExecution",
        make("SignalWorkflowExecution", namespace="default", workflow_execution=execution()),
        BAD | ABSENT,
    )
    for method in ("GetWorkflowExecutionHistory", "DescribeWorkflowExecution", "QueryWorkflow"):
        request = make(method, namespace="default", execution=execution())
        yield Case(f"{method} of nobody", method, request, ABSENT | BAD)


def wrong_tokens() -> Iterator[Case]:
    yield Case(
        "a page token that is none",
        "GetWorkflowExecutionHistory",
        make("GetWorkflowExecutionHistory", namespace="default", execution=execution(), next_page_token=b"rubbish"),
        BAD,
    )
    for method in METHODS:
        if method.startswith("Respond") or method == "RecordActivityTaskHeartbeat":
            fields = METHODS[method].input_type.fields_by_name
            for name, token in {
                "empty": b"",
                "short": b"x",
                "rubbish": bytes(range(256)),
                "long": b"\xff" * 5000,
            }.items():
                if "task_token" in fields:
                    request = make(method, namespace="default", task_token=token)
                    yield Case(
                        f"{method} with a token that is {name}", method, request, BAD | ABSENT | {"UNIMPLEMENTED"}
                    )


def unreadable() -> Iterator[Case]:
    rubbish = {
        "a length beyond the end": b"\x0a\xff\xff\xff\xff\x0f",
        "an endless varint": b"\xff" * 20,
        "a group's end": b"\x0c",
        "field number 0": b"\x00\x01",
        "a wire type that is none": b"\x0f",
        "half a fixed64": b"\x09\x01",
        "a huge length": b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    }
    for method in METHODS:
        for name, value in rubbish.items():
            yield Case(f"{method} with {name}", method, value, UNREADABLE)
    # Field 1 of all these is a text.
    for method in (
        "StartWorkflowExecution",
        "SignalWorkflowExecution",
        "PollActivityTaskQueue",
        "DescribeWorkflowExecution",
    ):
        yield Case(f"{method} with invalid UTF-8", method, b"\x0a\x02\xff\xfe", UNREADABLE)
    nested = b""
    for _ in range(1000):
        nested = b"\x22" + varint(len(nested)) + nested
    yield Case(
        "1,000 failures in each other", "RespondActivityTaskFailed", b"\x12" + varint(len(nested)) + nested, UNREADABLE
    )
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
        yield Case(
            f"mutation {number} of {case.method}: {bytes(value).hex()[:200]}",
            case.method,
            bytes(value),
            ANSWERED | UNREADABLE,
        )
