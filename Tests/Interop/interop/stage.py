"""What a scenario works with: a client of one server, helpers that wait for conditions, and its observations."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import temporalio.api.errordetails.v1 as _details  # noqa: F401  (so that error details can be decoded)
import temporalio.api.query.v1 as _query  # noqa: F401
from google.protobuf import symbol_database
from google.protobuf.message import Message
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest, GetWorkflowExecutionHistoryRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .normalise import Normaliser
from .servers import Server

PATIENCE = 20.0
"""Seconds after which a condition that a scenario waits for counts as failed."""


@dataclass
class Stage:
    """One scenario on one server. Workflow id and task queue are the scenario's name: the same on each server."""

    server: Server
    client: Client
    name: str
    normaliser: Normaliser = field(default_factory=Normaliser)
    observations: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Message] = field(default_factory=dict)

    @property
    def service(self) -> Any:
        """The contract's own calls, without retries."""
        return self.client.workflow_service

    def record(self, name: str, observed: Any) -> None:
        """Keeps a message, an error or any JSON value under a name, to be compared with the other server's."""
        if name in self.observations:
            raise ValueError(f"observed twice: {name}")
        if isinstance(observed, Message):
            self.raw[name] = observed
            self.observations[name] = self.normaliser.message(observed)
        elif isinstance(observed, BaseException):
            self.observations[name] = self.error(observed)
        else:
            self.observations[name] = observed

    async def attempt(self, name: str, call: Awaitable[Any]) -> Any:
        """Makes a call and keeps what comes of it, the answer or the error."""
        try:
            answer = await call
        except Exception as error:
            self.record(name, error)
            return None
        self.record(name, answer)
        return answer

    async def history(self, workflow_id: str | None = None, run_id: str = "", name: str = "history") -> History:
        """Reads the whole history and keeps it."""
        events = await self.events(workflow_id, run_id)
        self.raw[name] = events
        self.observations[name] = [self.normaliser.message(event) for event in events.events]
        return events

    async def events(self, workflow_id: str | None = None, run_id: str = "") -> History:
        history, token = History(), b""
        while True:
            request = GetWorkflowExecutionHistoryRequest(namespace=self.client.namespace, next_page_token=token)
            request.execution.workflow_id = workflow_id or self.name
            request.execution.run_id = run_id
            page = await self.service.get_workflow_execution_history(request)
            history.events.extend(page.history.events)
            token = page.next_page_token
            if not token:
                return history

    async def describe(self, workflow_id: str | None = None, run_id: str = "") -> Any:
        request = DescribeWorkflowExecutionRequest(namespace=self.client.namespace)
        request.execution.workflow_id = workflow_id or self.name
        request.execution.run_id = run_id
        return await self.service.describe_workflow_execution(request)

    async def until_history(self, condition: Callable[[list[str]], bool], workflow_id: str | None = None) -> None:
        """Waits until the types of the events so far (without `EVENT_TYPE_`) meet a condition."""
        await self.until(lambda: self._types_meet(condition, workflow_id))

    async def _types_meet(self, condition: Callable[[list[str]], bool], workflow_id: str | None) -> bool:
        history = await self.events(workflow_id)
        return condition([EventType.Name(each.event_type).removeprefix("EVENT_TYPE_") for each in history.events])

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await condition():
                await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def worker(
        self, workflows: Sequence[type] = (), activities: Sequence[Callable[..., Any]] = (), **options: Any
    ) -> AsyncIterator[Worker]:
        """A worker of the official SDK on the scenario's task queue."""
        worker = Worker(
            self.client,
            task_queue=options.pop("task_queue", self.name),
            workflows=workflows,
            activities=activities,
            workflow_runner=options.pop("workflow_runner", UnsandboxedWorkflowRunner()),
            **options,
        )
        async with worker:
            yield worker

    async def outcome(self, handle: WorkflowHandle[Any, Any], name: str = "outcome") -> None:
        """Waits for the end of a workflow and keeps what its client gets."""
        async with asyncio.timeout(PATIENCE):
            await self.attempt(name, handle.result())

    async def in_namespace(self, name: str) -> Client:
        """A client like this stage's, in another namespace."""
        config = self.client.config()
        config["namespace"] = name
        return Client(**config)

    async def so_far(self) -> list[str]:
        """What there is of the scenario's workflow when the scenario failed, as lines to print."""
        try:
            async with asyncio.timeout(5):
                history = await self.events()
        except Exception:
            return []
        types = [EventType.Name(each.event_type).removeprefix("EVENT_TYPE_") for each in history.events]
        return [f"  its events so far: {' '.join(types)}"]

    def error(self, error: BaseException) -> Any:
        """An error with what caused it, in the words that a client sees."""
        shown: dict[str, Any] = {"error": type(error).__name__, "message": self.normaliser.text(str(error))}
        if isinstance(error, RPCError):
            shown["status"] = error.status.name
            shown["details"] = [self.detail(each) for each in error.grpc_status.details]
        if error.__cause__ is not None and not isinstance(error, RPCError):
            shown["cause"] = self.error(error.__cause__)
        return shown

    def detail(self, any_message: Any) -> Any:
        name = any_message.type_url.rpartition("/")[2]
        message = symbol_database.Default().GetSymbol(name)()
        any_message.Unpack(message)
        return {"type": name, **self.normaliser.message(message)}
