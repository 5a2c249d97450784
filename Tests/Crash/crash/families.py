"""Parents with children, signals between siblings, chains and updates, and kills of the server: who heard what?"""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, UpdateWorkflowExecutionLifecycleStage, WorkflowExecutionStatus
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from .grpc_door import GRPCDoor, payloads
from .part import Part
from .postgres import Postgres
from .sagamore import BINARY, Server

CHILDREN = 4
SIGNALS = 12
"""Signals from each child to the next: enough for two successors of each."""
UPDATES = 3
"""Updates to each parent."""
MOST_IN_FLIGHT = 60


@dataclass
class FamilySettings:
    seed: int
    kills: int = 3
    parents: int = 500
    settle: float = 120
    """Seconds in which all families have to end after the last kill."""


@dataclass
class Family:
    id: str
    began: float
    run_id: str = ""
    history: History | None = None
    acknowledged: list[int] = field(default_factory=list)
    """The notes of updates that were acknowledged."""
    problems: list[str] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        return self.history is not None


class FamilyWorker(Part):
    kind = "worker"

    def __init__(self, name: str, logs: Path, address: str) -> None:
        super().__init__(name, logs)
        self.address = address

    def command(self) -> list[str]:
        return [str(BINARY.with_name("SagamoreCrashFamilies"))]

    def environment(self) -> dict[str, str]:
        return {"SAGAMORE_ADDRESS": self.address, "SAGAMORE_NAMESPACE": "default"}

    async def is_up(self) -> bool:
        return self.runs


class Families:
    def __init__(self, folder: Path, settings: FamilySettings) -> None:
        self.settings = settings
        self.random = random.Random(f"families {settings.seed}")
        self.postgres = Postgres(folder)
        self.server = Server(folder, self.postgres.url, None)
        self.workers = [FamilyWorker(f"worker-{number}", folder, self.server.address) for number in range(2)]
        self.parts: list[Part] = [self.postgres, self.server, *self.workers]
        self.door = GRPCDoor(self.server.address)
        self.families: list[Family] = []
        self.problems: list[str] = []
        self.kills: list[int] = []
        """The number of families in flight at each kill."""

    async def run(self) -> list[str]:
        await self.postgres.start()
        await self.server.start()
        await asyncio.gather(*(worker.start() for worker in self.workers))
        await self.door.connect()
        killing = asyncio.create_task(self.kill())
        try:
            await self.publish()
            await killing
        finally:
            killing.cancel()
        problems = self.problems + self.door.problems
        for family in self.families:
            problems += [f"{family.id}: {problem}" for problem in family.problems]
        for part in (*self.workers, self.server):
            await part.stop()
        return problems

    async def publish(self) -> None:
        """Begins all families, a bounded number at a time, and waits for their ends."""
        room = asyncio.Semaphore(MOST_IN_FLIGHT)

        async def one(number: int) -> None:
            async with room:
                family = Family(f"family-{self.settings.seed}-{number}", time.time())
                self.families.append(family)
                try:
                    await asyncio.wait_for(self.carry_out(family), self.settings.settle)
                except TimeoutError:
                    family.problems.append(f"it has not ended after {self.settings.settle:.0f} s")
                except RPCError as error:
                    family.problems.append(f"{error.status.name}: {error}")

        await asyncio.gather(*(one(number) for number in range(self.settings.parents)))

    async def carry_out(self, family: Family) -> None:
        start = StartWorkflowExecutionRequest(namespace="default", identity="crash-tests", request_id=family.id)
        start.workflow_id = family.id
        start.workflow_type.name, start.task_queue.name = "FamilyParent", "families"
        start.input.CopyFrom(payloads({"children": CHILDREN, "signals": SIGNALS}))
        answer, _ = await self.door.call("start_workflow_execution", start)
        family.run_id = answer.run_id
        updates = [asyncio.create_task(self.update(family, number)) for number in range(UPDATES)]
        family.history = await self.end(family)
        await asyncio.gather(*updates)
        family.problems += await self.judge(family)

    async def update(self, family: Family, number: int) -> None:
        """An update at some time; one in three is rejected by its validator."""
        note = -1 if number == 1 else number
        await asyncio.sleep(0.1 * number)
        request = UpdateWorkflowExecutionRequest(namespace="default")
        request.workflow_execution.workflow_id = family.id
        request.wait_policy.lifecycle_stage = (
            UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED
        )
        request.request.meta.update_id = f"note-{number}"
        request.request.input.name = "note"
        request.request.input.args.CopyFrom(payloads(note))
        try:
            answer, _ = await self.door.call("update_workflow_execution", request, each=20)
        except RPCError as error:
            # The parent may have ended before.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return
        if answer.outcome.HasField("success"):
            family.acknowledged.append(note)
        elif note >= 0 and "AcceptedUpdateCompletedWorkflow" not in str(answer.outcome):
            family.problems.append(f"update {number} failed: {answer.outcome}")

    async def end(self, family: Family) -> History:
        while True:
            history = await self.door.history(family.id, family.run_id)
            if history.events[-1].event_type in CLOSED:
                return history
            await asyncio.sleep(0.25)

    async def kill(self) -> None:
        for _ in range(self.settings.kills):
            await asyncio.sleep(self.random.uniform(0.3, 2.0))
            in_flight = sum(not family.has_ended for family in self.families)
            down = self.random.choice([0, self.random.uniform(0.05, 1.0)])
            self.kills.append(in_flight)
            if in_flight == 0:
                self.problems.append(f"kill {len(self.kills)} hit an idle system")
            await self.server.kill()
            await asyncio.sleep(down)
            await self.server.start()
            print(f"    kill {len(self.kills):3} with {in_flight} families in flight, down {down:.1f} s", flush=True)

    # What must hold

    async def judge(self, family: Family) -> list[str]:
        assert family.history is not None
        problems, events = [], family.history.events
        counts = Counter(event.event_type for event in events)
        for kind in (INITIATED, STARTED, COMPLETED):
            if counts[kind] != CHILDREN:
                problems.append(f"{counts[kind]} events {EventType.Name(kind)} instead of {CHILDREN}")
        if events[-1].event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return [*problems, f"it ended with {EventType.Name(events[-1].event_type)}"]
        result = events[-1].workflow_execution_completed_event_attributes.result.payloads[0].data
        report = json.loads(result)
        for number, received in enumerate(report["children"]):
            if received != list(range(SIGNALS)):
                problems.append(f"child {number} received {received}")
        if missing := set(family.acknowledged) - set(report["notes"]):
            problems.append(f"acknowledged updates are lost: {sorted(missing)}; it has {report['notes']}")
        if len(set(report["notes"])) != len(report["notes"]) or -1 in report["notes"]:
            problems.append(f"updates took effect that must not: {report['notes']}")
        first_runs = {
            event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id: (
                event.child_workflow_execution_started_event_attributes.workflow_execution.run_id
            )
            for event in events
            if event.event_type == STARTED
        }
        for id, run_id in first_runs.items():
            problems += await self.judge_child(family, id, run_id)
        problems += self.pending(family.id, await self.describe(family.id))
        return problems

    async def judge_child(self, family: Family, id: str, first_run: str) -> list[str]:
        """The child's newest run belongs to the chain that its parent started, and nothing of it is pending."""
        problems = self.pending(id, description := await self.describe(id))
        run_id = description.workflow_execution_info.execution.run_id
        history = await self.door.history(id, run_id)
        started = history.events[0].workflow_execution_started_event_attributes
        if started.first_execution_run_id != first_run:
            problems.append(f"{id} was started again: its chain begins with {started.first_execution_run_id}")
        if started.parent_workflow_execution.workflow_id != family.id:
            problems.append(f"{id} has the parent {started.parent_workflow_execution.workflow_id}")
        if run_id == first_run:
            problems.append(f"{id} did not continue as new")
        return problems

    async def describe(self, id: str) -> Any:
        request = DescribeWorkflowExecutionRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=id)
        )
        description, _ = await self.door.call("describe_workflow_execution", request)
        return description

    def pending(self, id: str, description: Any) -> list[str]:
        status = description.workflow_execution_info.status
        if status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED:
            return [f"{id} is {WorkflowExecutionStatus.Name(status)}"]
        if description.pending_children or description.pending_activities:
            return [f"{id} has something pending: {description}"]
        return []

    def summary(self) -> str:
        ended = sum(family.has_ended for family in self.families)
        updates = sum(len(family.acknowledged) for family in self.families)
        return (
            f"{len(self.kills)} kills with {min(self.kills, default=0)} to {max(self.kills, default=0)} families in "
            f"flight; {ended} of {len(self.families)} families ended, with {CHILDREN} children each and "
            f"{SIGNALS} signals from each to the next; {updates} updates acknowledged"
        )

    def clean(self) -> None:
        for part in reversed(self.parts):
            part.clean()


INITIATED = EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED
STARTED = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
COMPLETED = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED
CLOSED = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
}


async def run(folder: Path, settings: FamilySettings) -> tuple[list[str], str]:
    """The families on a new system; what is wrong, and a summary."""
    families = Families(folder, settings)
    try:
        began = time.monotonic()
        problems = await families.run()
        return problems, f"{families.summary()}, {time.monotonic() - began:.0f} s"
    finally:
        families.clean()
