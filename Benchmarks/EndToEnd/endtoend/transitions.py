"""What a step of a workflow costs the server and PostgreSQL, by how long its history is and by what is pending."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, TaskQueueKind
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client

PENDING = 2_000
"""Activities or children that are pending: the most that a run may have."""
EVENTS = 10_000


class Stepper:
    """One workflow, and a worker that keeps it: a step is a signal, and the workflow task that it causes."""

    def __init__(self, client: Client, name: str) -> None:
        self.service, self.name = client.workflow_service, name
        self.next: asyncio.Task[PollWorkflowTaskQueueResponse] | None = None
        self.sticky = TaskQueue(
            name=f"{name}-sticky", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=name
        )

    async def start(self) -> None:
        request = StartWorkflowExecutionRequest(namespace="default", workflow_id=self.name, request_id=self.name)
        request.workflow_type.name = "Stepped"
        request.task_queue.name = self.name
        await self.service.start_workflow_execution(request)
        await self.complete(await self.poll(TaskQueue(name=self.name)))
        # A task goes to the worker that has the workflow if the server has seen it poll.
        self.next = asyncio.create_task(self.poll(self.sticky))
        await asyncio.sleep(0.2)

    async def poll(self, queue: TaskQueue) -> PollWorkflowTaskQueueResponse:
        request = PollWorkflowTaskQueueRequest(namespace="default", task_queue=queue, identity="stepper")
        task = await self.service.poll_workflow_task_queue(request, timeout=timedelta(seconds=30))
        if not task.task_token:
            raise TimeoutError(f"{self.name} got no workflow task")
        return task

    async def complete(self, task: PollWorkflowTaskQueueResponse, *commands: Command) -> None:
        request = RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token)
        request.commands.extend(commands)
        request.sticky_attributes.worker_task_queue.CopyFrom(self.sticky)
        request.sticky_attributes.schedule_to_start_timeout.FromSeconds(60)
        await self.service.respond_workflow_task_completed(request)

    async def step(self, *commands: Command) -> int:
        """Returns the number of events before the task."""
        signal = SignalWorkflowExecutionRequest(namespace="default", signal_name="step")
        signal.workflow_execution.workflow_id = self.name
        await self.service.signal_workflow_execution(signal)
        task = await (self.next or self.poll(self.sticky))
        self.next = None
        await self.complete(task, *commands)
        return int(task.started_event_id)

    async def lengthen(self) -> None:
        while await self.step() < EVENTS:
            pass

    async def schedule_activities(self) -> None:
        await self.step(*(self.activity(number) for number in range(PENDING)))

    async def start_children(self) -> None:
        await self.step(*(self.child(number) for number in range(PENDING)))
        # Their starts bring workflow tasks, until all are known.
        request = DescribeWorkflowExecutionRequest(namespace="default")
        request.execution.workflow_id = self.name
        while True:
            described = await self.service.describe_workflow_execution(request)
            if described.HasField("pending_workflow_task"):
                await self.complete(await self.poll(self.sticky))
            elif all(child.run_id for child in described.pending_children):
                return
            else:
                await asyncio.sleep(0.05)

    def activity(self, number: int) -> Command:
        command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
        attributes = command.schedule_activity_task_command_attributes
        attributes.activity_id = str(number)
        attributes.activity_type.name = "waits"
        attributes.task_queue.name = f"{self.name}-nobody"
        attributes.start_to_close_timeout.FromSeconds(60)
        return command

    def child(self, number: int) -> Command:
        command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
        attributes = command.start_child_workflow_execution_command_attributes
        attributes.workflow_id = f"{self.name}-{number}"
        attributes.workflow_type.name = "Waits"
        attributes.task_queue.name = f"{self.name}-nobody"
        return command


async def measure(address: str, steps: int, cpu_seconds: Callable[[], float]) -> dict[str, Any]:
    client = await Client.connect(address)

    async def nothing(_: Stepper) -> None: ...

    kinds: dict[str, Callable[[Stepper], Awaitable[None]]] = {
        "fresh": nothing,
        f"{EVENTS}_events": Stepper.lengthen,
        f"{PENDING}_activities": Stepper.schedule_activities,
        f"{PENDING}_children": Stepper.start_children,
    }
    figures: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    # Forwards and backwards: whatever is measured later takes more time on some machines.
    for turn, names in enumerate((list(kinds), list(reversed(kinds)))):
        for name in names:
            stepper = Stepper(client, f"stepped-{turn}-{name}")
            await stepper.start()
            await kinds[name](stepper)
            for _ in range(20):
                await stepper.step()
            cpu, began = cpu_seconds(), time.monotonic()
            for _ in range(steps):
                await stepper.step()
            figures[name].append((cpu_seconds() - cpu, time.monotonic() - began))
    means = {name: [sum(column) / len(column) for column in zip(*found)] for name, found in figures.items()}
    return {
        name: {
            "cpu_ms_per_step": round(1000 * cpu / steps, 3),
            "ms_per_step": round(1000 * wall / steps, 3),
            "cpu_ratio": round(cpu / means["fresh"][0], 3),
            "time_ratio": round(wall / means["fresh"][1], 3),
        }
        for name, (cpu, wall) in means.items()
    }


def transitions(address: str, steps: int, cpu_seconds: Callable[[], float]) -> dict[str, Any]:
    return asyncio.run(measure(address, steps, cpu_seconds))
