"""A relay between a worker and the server that notes what the server acknowledged.

No SDK tells its user when the server has taken an activity's completion. The relay sees each call with its answer: it
learns which attempt a task token means when the task goes by, and notes the instant at which the acknowledgement of
its completion came back.
"""

import time
from dataclasses import dataclass
from typing import Any

import grpc
from ports import free_port
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueResponse,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
)


SERVICE = "/temporal.api.workflowservice.v1.WorkflowService/"
OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_retries", 0),
    ("grpc.so_reuseport", 0),
]


@dataclass(frozen=True)
class Acknowledgement:
    """The server took the completion of this attempt."""

    run_id: str
    activity: str
    attempt: int
    time: float


@dataclass(frozen=True)
class TaskAcknowledgement:
    """The server took the completion of the workflow task that had been started by this event."""

    run_id: str
    started_event_id: int


class Relay(grpc.GenericRpcHandler):
    def __init__(self, address: str) -> None:
        self.address = address
        self.port = free_port()
        self.attempts: dict[bytes, tuple[str, str, int]] = {}
        self.tasks: dict[bytes, TaskAcknowledgement] = {}
        self.acknowledged: list[Acknowledgement] = []
        self.tasks_acknowledged: list[TaskAcknowledgement] = []

    async def start(self) -> None:
        self.channel = grpc.aio.insecure_channel(self.address, OPTIONS)
        self.server = grpc.aio.server(handlers=[self], options=OPTIONS)
        self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop(0)
        await self.channel.close()

    def service(self, details: Any) -> Any:
        async def handle(request: bytes, context: Any) -> bytes:
            return await self.pass_on(details.method, request, context)

        return grpc.unary_unary_rpc_method_handler(handle)

    async def pass_on(self, method: str, request: bytes, context: Any) -> bytes:
        metadata = [
            each for each in context.invocation_metadata() if not each[0].startswith((":", "user-agent", "grpc-"))
        ]
        left = context.time_remaining()
        call = self.channel.unary_unary(method)(
            request, metadata=metadata, timeout=left if left and left < 1e8 else None
        )
        try:
            answer: bytes = await call
        except grpc.aio.AioRpcError as error:
            details = tuple(error.trailing_metadata() or ())
            await context.abort(error.code(), error.details() or "", details)
        self.note(method.removeprefix(SERVICE), request, answer)
        return answer

    def note(self, method: str, request: bytes, answer: bytes) -> None:
        if method == "PollActivityTaskQueue":
            self.learn(PollActivityTaskQueueResponse.FromString(answer))
        elif method == "PollWorkflowTaskQueue":
            task = PollWorkflowTaskQueueResponse.FromString(answer)
            self.tasks[task.task_token] = TaskAcknowledgement(task.workflow_execution.run_id, task.started_event_id)
        elif method == "RespondWorkflowTaskCompleted":
            token = RespondWorkflowTaskCompletedRequest.FromString(request).task_token
            response = RespondWorkflowTaskCompletedResponse.FromString(answer)
            if token in self.tasks:
                self.tasks_acknowledged.append(self.tasks[token])
            if (next_task := response.workflow_task).task_token:
                run_id = next_task.workflow_execution.run_id
                self.tasks[next_task.task_token] = TaskAcknowledgement(run_id, next_task.started_event_id)
            for activity in response.activity_tasks:
                self.learn(activity)
        elif method == "RespondActivityTaskCompleted":
            token = RespondActivityTaskCompletedRequest.FromString(request).task_token
            if token in self.attempts:
                self.acknowledged.append(Acknowledgement(*self.attempts[token], time.time()))

    def learn(self, task: PollActivityTaskQueueResponse) -> None:
        if task.task_token:
            self.attempts[task.task_token] = (task.workflow_execution.run_id, task.activity_type.name, task.attempt)
