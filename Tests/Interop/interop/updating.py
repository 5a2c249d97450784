"""Updates without an SDK: requests of clients, and the messages by which a worker answers them."""

from typing import Any

from google.protobuf.message import Message
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, UpdateWorkflowExecutionLifecycleStage
from temporalio.api.failure.v1 import Failure
from temporalio.api.protocol.v1 import Message as ProtocolMessage
from temporalio.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response
from temporalio.api.workflowservice.v1 import (
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueResponse,
    UpdateWorkflowExecutionRequest,
)

from .raw import payloads
from .stage import Stage

ADMITTED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
ACCEPTED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
COMPLETED = UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED


def update_request(
    stage: Stage, id: str, *arguments: Any, wait: int | None = COMPLETED, run_id: str = "", first_run_id: str = ""
) -> UpdateWorkflowExecutionRequest:
    """A request of the update `change`, which waits for a stage."""
    request = UpdateWorkflowExecutionRequest(
        namespace=stage.client.namespace, first_execution_run_id=first_run_id
    )
    request.workflow_execution.workflow_id = stage.name
    request.workflow_execution.run_id = run_id
    request.request.meta.update_id = id
    request.request.meta.identity = "raw client"
    request.request.input.name = "change"
    if arguments:
        request.request.input.args.CopyFrom(payloads(*arguments))
    if wait is not None:
        request.wait_policy.lifecycle_stage = wait  # type: ignore[assignment]
    return request


def outcome_request(
    stage: Stage, id: str, wait: int | None = None, run_id: str = ""
) -> PollWorkflowExecutionUpdateRequest:
    """A request for the outcome of an update, which waits for a stage or not at all."""
    request = PollWorkflowExecutionUpdateRequest(namespace=stage.client.namespace, identity="raw client")
    request.update_ref.workflow_execution.workflow_id = stage.name
    request.update_ref.workflow_execution.run_id = run_id
    request.update_ref.update_id = id
    if wait is not None:
        request.wait_policy.lifecycle_stage = wait  # type: ignore[assignment]
    return request


def request_in(message: ProtocolMessage) -> Request:
    """The request that a message carries."""
    request = Request()
    message.body.Unpack(request)
    return request


def shown(message: ProtocolMessage) -> ProtocolMessage:
    """The message without its body, which is recorded by itself."""
    copy = ProtocolMessage()
    copy.CopyFrom(message)
    copy.ClearField("body")
    return copy


def record_messages(stage: Stage, name: str, task: PollWorkflowTaskQueueResponse) -> None:
    """Keeps a workflow task with its messages and their bodies."""
    copy = PollWorkflowTaskQueueResponse()
    copy.CopyFrom(task)
    copy.ClearField("messages")
    stage.record(name, copy)
    for number, message in enumerate(task.messages, 1):
        stage.record(f"{name}, message {number}", shown(message))
        stage.record(f"{name}, message {number}, {message.body.type_url}", request_in(message))


def acceptance(message: ProtocolMessage) -> ProtocolMessage:
    body = Acceptance(
        accepted_request_message_id=message.id,
        accepted_request_sequencing_event_id=message.event_id,
        accepted_request=request_in(message),
    )
    return answer(message.protocol_instance_id, "accept", body)


def rejection(message: ProtocolMessage, failure: Failure) -> ProtocolMessage:
    body = Rejection(
        rejected_request_message_id=message.id,
        rejected_request_sequencing_event_id=message.event_id,
        rejected_request=request_in(message),
        failure=failure,
    )
    return answer(message.protocol_instance_id, "reject", body)


def completion(id: str, *values: Any, failure: Failure | None = None) -> ProtocolMessage:
    body = Response(outcome=Outcome(failure=failure) if failure else Outcome(success=payloads(*values)))
    body.meta.update_id = id
    body.meta.identity = "raw client"
    return answer(id, "complete", body)


def answer(id: str, kind: str, body: Message) -> ProtocolMessage:
    message = ProtocolMessage(id=f"{id}/{kind}", protocol_instance_id=id)
    message.body.Pack(body)
    return message


def order(message: ProtocolMessage | str) -> Command:
    """The command that says where a message stands among the commands."""
    command = Command(command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE)
    id = message if isinstance(message, str) else message.id
    command.protocol_message_command_attributes.message_id = id
    return command
