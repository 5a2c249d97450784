"""Bookings over gRPC: calls that are made again until they are answered, as every client does."""

import asyncio
import json
import time
import uuid
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    RequestCancelWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from .bookings import Command

AGAIN = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.CANCELLED,
}
"""What a client tries again for."""

LOST = ("transport", "h2 protocol error")
"""What the SDK says where the connection ends before or within an answer."""


def payloads(value: Any) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())])


class GRPCDoor:
    def __init__(self, address: str) -> None:
        self.address = address
        self.client: Client | None = None
        self.problems: list[str] = []
        self.outages: dict[str, int] = {}
        """How often calls were answered with what makes a client try again."""

    async def connect(self) -> "GRPCDoor":
        self.client = await Client.connect(self.address, lazy=True)
        return self

    @property
    def service(self) -> Any:
        assert self.client is not None
        return self.client.workflow_service

    async def call(self, name: str, request: Any, seconds: float = 90, each: float = 5) -> tuple[Any, bool]:
        """Calls until there is an answer; and whether an earlier attempt's outcome is unknown.

        Raises the error that is an answer.
        """
        deadline, in_doubt = time.monotonic() + seconds, False
        while True:
            try:
                answer = await getattr(self.service, name)(request, retry=False, timeout=timedelta(seconds=each))
                return answer, in_doubt
            except RPCError as error:
                is_lost = error.status is RPCStatusCode.UNKNOWN and any(sign in str(error).lower() for sign in LOST)
                if (error.status not in AGAIN and not is_lost) or time.monotonic() > deadline:
                    error.in_doubt = in_doubt  # type: ignore[attr-defined]
                    raise
                self.outages[error.status.name] = self.outages.get(error.status.name, 0) + 1
                in_doubt = True
            except RuntimeError as error:  # what the SDK raises where its first connection fails
                if "client connect" not in str(error) or time.monotonic() > deadline:
                    raise RPCError(str(error), RPCStatusCode.UNAVAILABLE, b"") from error
            await asyncio.sleep(0.2)

    async def send(self, command: Command) -> str:
        """Carries a command out; returns a start's run id. An answer that should not come is noted as a problem."""
        body = command.body
        request: Any
        request_id = str(uuid.uuid5(uuid.NAMESPACE_URL, command.id))
        name = {
            "start": "start_workflow_execution",
            "signal": "signal_workflow_execution",
            "cancel": "request_cancel_workflow_execution",
            "terminate": "terminate_workflow_execution",
        }[command.act]
        if command.act == "start":
            request = StartWorkflowExecutionRequest(request_id=request_id, input=payloads(body["input"]))
            request.workflow_id = body["workflow_id"]
            request.workflow_type.name = body["workflow"]
            request.task_queue.name = body["task_queue"]
        elif command.act == "signal":
            request = SignalWorkflowExecutionRequest(request_id=request_id, signal_name=body["signal"])
            request.input.CopyFrom(payloads(body["input"]))
        elif command.act == "cancel":
            request = RequestCancelWorkflowExecutionRequest(request_id=request_id, reason=body["reason"])
        else:
            request = TerminateWorkflowExecutionRequest(reason=body["reason"])
        request.namespace, request.identity = "default", "crash-tests"
        if command.act != "start":
            request.workflow_execution.workflow_id = body["workflow_id"]
        try:
            answer, _ = await self.call(name, request)
            return answer.run_id if command.act == "start" else ""
        except RPCError as error:
            # One that was sent before, or whose outcome was in doubt, has ended the workflow meanwhile.
            done = command.act != "start" and error.status is RPCStatusCode.NOT_FOUND
            if not (done and (getattr(error, "in_doubt", False) or command.sent > 0)):
                self.problems.append(f"{command.act} of {body['workflow_id']}: {error.status.name}: {error}")
            return ""

    async def history(self, workflow_id: str, run_id: str = "", seconds: float = 60) -> History:
        """The whole history; with a run id of that run, else of the newest."""
        history, token = History(), b""
        while True:
            request = GetWorkflowExecutionHistoryRequest(namespace="default", next_page_token=token)
            request.execution.workflow_id, request.execution.run_id = workflow_id, run_id
            page, _ = await self.call("get_workflow_execution_history", request, seconds)
            history.events.extend(page.history.events)
            token = page.next_page_token
            if not token:
                return history
