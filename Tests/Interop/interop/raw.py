"""A worker without an SDK: polls and answers by the contract's own calls, so that a scenario decides every step."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import CommandType, QueryResultType, TaskQueueKind, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RecordActivityTaskHeartbeatRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
    StartWorkflowExecutionRequest,
    StartWorkflowExecutionResponse,
)
from temporalio.converter import PayloadConverter

from .stage import PATIENCE, Stage

IDENTITY = "raw worker"
ONE_POLL = timedelta(seconds=7)


class RawWorker:
    """One poller of the scenario's task queue."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.namespace = stage.client.namespace
        self.sticky = TaskQueue(
            name=f"{stage.name}-sticky", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=stage.name
        )
        self.normal = TaskQueue(name=stage.name, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL)

    async def start(self, *arguments: Any, **fields: Any) -> StartWorkflowExecutionResponse:
        """Starts the scenario's workflow, of type `Raw`."""
        return await self.stage.service.start_workflow_execution(start_request(self.stage, *arguments, **fields))

    async def poll(self, *, sticky: bool = False) -> PollWorkflowTaskQueueResponse:
        """Waits for the next workflow task (or, on the sticky queue, for a query)."""
        queue = self.sticky if sticky else self.normal
        request = PollWorkflowTaskQueueRequest(namespace=self.namespace, task_queue=queue, identity=IDENTITY)
        return await _task(lambda: self.stage.service.poll_workflow_task_queue(request, timeout=ONE_POLL))

    async def sticky_poll(self) -> "asyncio.Task[PollWorkflowTaskQueueResponse]":
        """Starts a poll of the sticky queue and gives it time to arrive.

        Without it the Temporal server would see no worker on the sticky queue, and use the normal one.
        """
        poll = asyncio.create_task(self.poll(sticky=True))
        await asyncio.sleep(0.5)
        return poll

    async def complete(
        self, task: PollWorkflowTaskQueueResponse, *commands: Command, sticky: bool | float = False, **fields: Any
    ) -> RespondWorkflowTaskCompletedResponse:
        """Completes a workflow task. `sticky` asks for the next one on the sticky queue, a number within seconds."""
        request = RespondWorkflowTaskCompletedRequest(
            namespace=self.namespace, task_token=task.task_token, commands=commands, identity=IDENTITY, **fields
        )
        if sticky:
            request.sticky_attributes.worker_task_queue.CopyFrom(self.sticky)
            request.sticky_attributes.schedule_to_start_timeout.FromTimedelta(
                timedelta(seconds=60 if sticky is True else sticky)
            )
        return await self.stage.service.respond_workflow_task_completed(request)

    async def fail(
        self,
        task: PollWorkflowTaskQueueResponse,
        message: str,
        cause: WorkflowTaskFailedCause.ValueType = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED,
    ) -> None:
        await self.stage.service.respond_workflow_task_failed(
            RespondWorkflowTaskFailedRequest(
                namespace=self.namespace, task_token=task.task_token, identity=IDENTITY, cause=cause,
                failure=application_failure(message),
            )
        )  # fmt: skip

    async def answer(self, task: PollWorkflowTaskQueueResponse, value: Any) -> None:
        """Answers a query that came as a task of its own."""
        await self.stage.service.respond_query_task_completed(
            RespondQueryTaskCompletedRequest(
                namespace=self.namespace,
                task_token=task.task_token,
                completed_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED,
                query_result=payloads(value),
            )
        )

    async def poll_activity(self) -> PollActivityTaskQueueResponse:
        request = PollActivityTaskQueueRequest(namespace=self.namespace, task_queue=self.normal, identity=IDENTITY)
        return await _task(lambda: self.stage.service.poll_activity_task_queue(request, timeout=ONE_POLL))

    async def poll_briefly(self) -> None:
        """Waits longer than a second for an activity task that does not come."""
        request = PollActivityTaskQueueRequest(namespace=self.namespace, task_queue=self.normal, identity=IDENTITY)
        answer = await self.stage.service.poll_activity_task_queue(request, timeout=timedelta(seconds=3))
        assert not answer.task_token, answer

    async def complete_activity(self, task: PollActivityTaskQueueResponse, *values: Any) -> Any:
        return await self.stage.service.respond_activity_task_completed(
            RespondActivityTaskCompletedRequest(
                namespace=self.namespace, task_token=task.task_token, identity=IDENTITY, result=payloads(*values)
            )
        )

    async def fail_activity(self, task: PollActivityTaskQueueResponse, failure: Failure, *heartbeat: Any) -> Any:
        request = RespondActivityTaskFailedRequest(
            namespace=self.namespace, task_token=task.task_token, identity=IDENTITY, failure=failure
        )
        if heartbeat:
            request.last_heartbeat_details.CopyFrom(payloads(*heartbeat))
        return await self.stage.service.respond_activity_task_failed(request)

    async def cancel_activity(self, task: PollActivityTaskQueueResponse, *details: Any) -> Any:
        return await self.stage.service.respond_activity_task_canceled(
            RespondActivityTaskCanceledRequest(
                namespace=self.namespace, task_token=task.task_token, identity=IDENTITY, details=payloads(*details)
            )
        )

    async def heartbeat(self, task: PollActivityTaskQueueResponse, *details: Any) -> Any:
        return await self.stage.service.record_activity_task_heartbeat(
            RecordActivityTaskHeartbeatRequest(
                namespace=self.namespace, task_token=task.task_token, identity=IDENTITY, details=payloads(*details)
            )
        )


async def _task(poll: Callable[[], Awaitable[Any]]) -> Any:
    """Polls until there is a task: on a busy machine the Temporal server lets a poll wait in vain now and then."""
    async with asyncio.timeout(PATIENCE):
        while not (answer := await poll()).task_token:
            pass
        return answer


def start_request(stage: Stage, *arguments: Any, **fields: Any) -> StartWorkflowExecutionRequest:
    """A request to start the scenario's workflow; times in `fields` are seconds."""
    request = StartWorkflowExecutionRequest(
        namespace=stage.client.namespace,
        workflow_id=stage.name,
        identity="raw client",
        request_id=f"{stage.name} start",
    )
    request.workflow_type.name = "Raw"
    request.task_queue.name = stage.name
    if arguments:
        request.input.CopyFrom(payloads(*arguments))
    set_fields(request, fields)
    return request


def payloads(*values: Any) -> Payloads:
    return Payloads(payloads=PayloadConverter.default.to_payloads(values))


def application_failure(message: str, type: str = "Broken", non_retryable: bool = False, **fields: Any) -> Failure:
    failure = Failure(message=message)
    failure.application_failure_info.type = type
    failure.application_failure_info.non_retryable = non_retryable
    set_fields(failure.application_failure_info, fields)
    return failure


def complete_workflow(*values: Any) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.SetInParent()
    if values:
        command.complete_workflow_execution_command_attributes.result.CopyFrom(payloads(*values))
    return command


def fail_workflow(failure: Failure) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION)
    command.fail_workflow_execution_command_attributes.failure.CopyFrom(failure)
    return command


def cancel_workflow(*details: Any) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION)
    command.cancel_workflow_execution_command_attributes.SetInParent()
    if details:
        command.cancel_workflow_execution_command_attributes.details.CopyFrom(payloads(*details))
    return command


def schedule_activity(id: str, stage: Stage, **fields: Any) -> Command:
    """Schedules an activity of type `work`; times in `fields` are seconds, `retry` are the retry policy's fields."""
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    attributes = command.schedule_activity_task_command_attributes
    attributes.activity_id = id
    attributes.activity_type.name = "work"
    attributes.task_queue.name = stage.name
    attributes.input.CopyFrom(payloads(id))
    retry = fields.pop("retry", None)
    set_fields(attributes, fields)
    if retry is not None:
        set_fields(attributes.retry_policy, retry)
        attributes.retry_policy.SetInParent()
    return command


def cancel_activity(scheduled_event_id: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK)
    command.request_cancel_activity_task_command_attributes.scheduled_event_id = scheduled_event_id
    return command


def start_timer(id: str, seconds: float) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
    command.start_timer_command_attributes.timer_id = id
    command.start_timer_command_attributes.start_to_fire_timeout.FromTimedelta(timedelta(seconds=seconds))
    return command


def cancel_timer(id: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_CANCEL_TIMER)
    command.cancel_timer_command_attributes.timer_id = id
    return command


def record_marker(name: str, **details: Any) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_RECORD_MARKER)
    command.record_marker_command_attributes.marker_name = name
    for key, value in details.items():
        command.record_marker_command_attributes.details[key].CopyFrom(payloads(value))
    return command


def set_fields(message: Any, fields: dict[str, Any]) -> None:
    """Sets fields by name; a number for a duration is seconds, a message is copied."""
    for name, value in fields.items():
        target = getattr(message, name)
        if isinstance(target, Duration) and not isinstance(value, Duration):
            target.FromTimedelta(timedelta(seconds=value))
        elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
            target.extend(value)
        elif hasattr(target, "CopyFrom"):
            target.CopyFrom(value)
        else:
            setattr(message, name, value)


async def nothing_shows(seconds: float) -> None:
    """Waits for something that shows nowhere before it is asked for: a buffered event, a query that has arrived."""
    await asyncio.sleep(seconds)
