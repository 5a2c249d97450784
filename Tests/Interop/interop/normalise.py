"""What one server showed, as JSON that can be compared with what another one showed.

This is the one place that says what may differ. A value that may differ becomes a placeholder and is not left out:
a field that only one server sets is still a difference. Ids become `<run 1>`, `<run 2>`, … in the order in which a
scenario meets them, so that it shows when an id stands where another one should.
"""

import base64
import contextlib
import json
import re
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryResponse

# Seconds of the year 1, which stands for no time.
NO_TIME = -62135596800

# Ids that the server or the SDK makes anew each time: numbered by kind.
NUMBERED = {
    "run_id": "run",
    "original_execution_run_id": "run",
    "first_execution_run_id": "run",
    "continued_execution_run_id": "run",
    "new_execution_run_id": "run",
    "base_run_id": "run",
    "new_run_id": "run",
    "request_id": "request",
    "create_request_id": "request",
    "start_request_id": "request",
}

# Values that differ between two runs on one and the same server.
VARYING = {
    "identity": "identity",  # process id and host of a worker or client
    "last_worker_identity": "identity",
    "task_token": "token",  # opaque to everyone but the server
    "next_page_token": "token",
    "history_size_bytes": "size",  # depends on the length of ids and on how the server encodes
    "state_transition_count": "count",  # how a server groups its writes
    "execution_duration": "time",
    "current_retry_interval": "time",
    "approximate_backlog_age": "time",
    "tasks_add_rate": "rate",  # over the last 30 s
    "tasks_dispatch_rate": "rate",
    "owner_host_name": "host",
    "update_identity": "identity",
}

# Values that name a thing inside the real server and mean nothing to clients.
SERVER_OWN = {
    "temporal.api.history.v1.HistoryEvent.task_id": "task",  # a number of its task store
}

# Left out altogether.
LEFT_OUT = {
    "poller_scaling_decision",  # a hint that the server gives or not, as it likes
    "workflow_task_completion_size_limit_error",  # of completions in several messages, which Sagamore does not offer
}

# Until when Temporal keeps a run that was continued; Sagamore does not say it.
EXPIRY = "temporal.api.workflow.v1.ResetPointInfo.expire_time"

# Sets that the SDK sends in the order of its hash table.
UNORDERED = {"core_used_flags", "lang_used_flags"}

# Messages that Temporal keeps in hash tables, by the field that puts them in order.
KEPT_IN_HASH_TABLES = {"pending_activities": "activity_id", "pending_children": "initiated_id"}

# Where Sagamore is meant to show something else than Temporal; the scenario says why. By scenario and name of the
# observation: what Sagamore has to show then.
INSTEAD: dict[tuple[str, str], Any] = {
    ("late-workflow-task-completion", "completed again"): {},
    ("late-workflow-task-completion", "completed after close"): {},
    ("reset-request-again", "again"): True,
    ("reset-request-again", "after the end"): True,
}

# What gRPC's own libraries say of a message over their limit: the server does not get to see it.
TOO_LARGE_FOR_GRPC = re.compile(
    r"grpc: received message after decompression larger than max \d+|Received message larger than max \(\d+ vs\. \d+\)"
)

STICKY_QUEUE = re.compile(r"^.*-[0-9a-f]{32}$")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Normaliser:
    """Keeps the numbers of one scenario on one server."""

    def __init__(self) -> None:
        self.numbers: dict[str, dict[str, str]] = {}

    def number(self, kind: str, value: str) -> str:
        numbers = self.numbers.setdefault(kind, {})
        return numbers.setdefault(value, f"<{kind} {len(numbers) + 1}>")

    def text(self, value: str) -> str:
        """A text in which run ids may stand, such as an error message."""
        value = TOO_LARGE_FOR_GRPC.sub("<too large for gRPC>", value)
        # Go's protobuf puts one or the other space behind its name, so that nobody compares its errors.
        value = value.replace("proto:\u00a0", "proto: ")
        return UUID.sub(lambda match: self.number("run", match.group()), value)

    def message(self, message: Message) -> Any:
        """Any protobuf message, with the field names of the contract."""
        name = message.DESCRIPTOR.full_name
        if isinstance(message, Timestamp):
            return "<no time>" if message.seconds == NO_TIME else "<time>"
        if name.startswith("google.protobuf."):
            return self.texts(json_format.MessageToDict(message))
        if isinstance(message, Payload):
            return self.payload(message)
        result: dict[str, Any] = {}
        for field, value in message.ListFields():
            if field.name in LEFT_OUT or field.full_name == EXPIRY or is_end_of_a_timed_out_attempt(message, field):
                continue
            if is_left_behind(message, field) or is_no_timeout(field, value):
                continue
            shown = self.field(message, field, value)
            result[field.name] = shown
        return result

    def texts(self, value: Any) -> Any:
        """JSON in which run ids may stand, such as that of a message in an `Any`."""
        if isinstance(value, dict):
            return {key: self.texts(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.texts(each) for each in value]
        return self.text(value) if isinstance(value, str) else value

    def field(self, message: Message, field: FieldDescriptor, value: Any) -> Any:
        if is_map(field):
            of = field.message_type.fields_by_name["value"]
            if field.name == "request_id_infos":
                return {self.number("request", key): self.value(of, value[key]) for key in value}
            return {str(key): self.value(of, value[key]) for key in sorted(value)}
        if field.name == "first_workflow_task_backoff" and message.cron_schedule and message.continued_execution_run_id:
            return "<backoff>"  # up to the next time of the schedule, from when a run ended
        if field.name in UNORDERED:
            return sorted(value)
        if key := KEPT_IN_HASH_TABLES.get(field.name):
            value = sorted(value, key=lambda each: getattr(each, key))
        if field.is_repeated:
            return [self.value(field, each) for each in value]
        if field.name == "name" and message.DESCRIPTOR.name == "TaskQueue" and STICKY_QUEUE.match(value):
            return "<sticky queue>"
        return self.value(field, value)

    def value(self, field: FieldDescriptor, value: Any) -> Any:
        varies = VARYING.get(field.name) or SERVER_OWN.get(field.full_name)
        if varies:
            return f"<{varies}>"
        if field.name in NUMBERED:
            return self.number(NUMBERED[field.name], value)
        if field.message_type is not None:
            return self.message(value)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return known.name if known else value
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, str):
            return self.text(value)
        return value

    def payload(self, message: Payload) -> Any:
        """Its metadata as text, and its data as JSON where that is what it says."""
        metadata = {key: message.metadata[key].decode(errors="replace") for key in sorted(message.metadata)}
        data: Any = base64.b64encode(message.data).decode()
        if len(data) > 10_000:
            data = f"<{len(message.data)} bytes>"
        elif metadata.get("encoding") == "json/plain":
            with contextlib.suppress(ValueError):
                data = json.loads(message.data)
        return {"metadata": metadata, "data": self.text(data) if isinstance(data, str) else data}


def is_left_behind(message: Message, field: FieldDescriptor) -> bool:
    """A workflow task that nobody took before its run was closed from outside: Sagamore withdraws it."""
    if field.full_name != "temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.pending_workflow_task":
        return False
    return message.workflow_execution_info.HasField("close_time")  # type: ignore[attr-defined]


def is_no_timeout(field: FieldDescriptor, value: Any) -> bool:
    """No run timeout, where a run continues another one without a limit: Temporal describes it as 0 s."""
    name = "temporal.api.workflow.v1.WorkflowExecutionConfig.workflow_run_timeout"
    return field.full_name == name and not value.ToNanoseconds()


def is_end_of_a_timed_out_attempt(message: Message, field: FieldDescriptor) -> bool:
    """When an activity's attempt timed out, Temporal still tells the end of the one before; Sagamore tells its own."""
    if field.full_name != "temporal.api.workflow.v1.PendingActivityInfo.last_attempt_complete_time":
        return False
    return message.last_failure.HasField("timeout_failure_info")  # type: ignore[attr-defined]


def followed(*pages: GetWorkflowExecutionHistoryResponse) -> GetWorkflowExecutionHistoryResponse:
    """The answers to a follower as one, wherever the one ends and the next one begins."""
    whole = GetWorkflowExecutionHistoryResponse(next_page_token=pages[-1].next_page_token)
    for page in pages:
        whole.history.events.extend(page.history.events)
    return whole


def meant(scenario: str, observations: dict[str, Any]) -> dict[str, Any]:
    """What Sagamore is to show where Temporal has shown `observations`."""
    return {name: INSTEAD.get((scenario, name), shown) for name, shown in observations.items()}


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
