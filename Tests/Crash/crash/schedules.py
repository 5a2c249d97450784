"""Schedules of each overlap policy, and kills of the server and of PostgreSQL: which times have a run?"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy, WorkflowExecutionStatus
from temporalio.api.schedule.v1 import (
    IntervalSpec,
    Schedule,
    ScheduleAction,
    SchedulePatch,
    SchedulePolicies,
    ScheduleSpec,
    TriggerImmediatelyRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeScheduleRequest,
    ListWorkflowExecutionsRequest,
    PatchScheduleRequest,
)
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .grpc_door import GRPCDoor, payloads
from .part import Part
from .postgres import Postgres
from .sagamore import Server

QUEUE = "schedules"
POLICIES = {
    "skip": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_SKIP,
    "buffer-one": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
    "buffer-all": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
    "terminate": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER,
    "allow-all": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
}
OF_EACH = 4
"""Schedules of each policy."""
PERIOD = 2
"""Seconds between the times of a schedule."""


@dataclass
class ScheduleSettings:
    seed: int
    kills: int = 3
    settle: float = 120
    """Seconds in which all runs have to end after the last kill."""


@workflow.defn(name="Scheduled")
class Scheduled:
    @workflow.run
    async def run(self, longest: float) -> None:
        await asyncio.sleep(workflow.random().uniform(0, longest))


@dataclass
class Run:
    id: str
    started: float
    closed: float
    status: int

    @property
    def time(self) -> str:
        """The time that it is for."""
        return self.id[-len("2026-01-01T00:00:00Z") :]


class Schedules:
    def __init__(self, folder: Path, settings: ScheduleSettings) -> None:
        self.settings = settings
        self.random = random.Random(f"schedules {settings.seed}")
        self.postgres = Postgres(folder)
        self.server = Server(folder, self.postgres.url, None)
        self.parts: list[Part] = [self.postgres, self.server]
        self.door = GRPCDoor(self.server.address)
        self.triggered: dict[str, list[str]] = {}
        """The times of the triggers that were acknowledged, by schedule."""
        self.kills = 0
        self.problems: list[str] = []
        self.runs = 0

    async def run(self) -> list[str]:
        await self.postgres.start()
        await self.server.start()
        await self.door.connect()
        client = await Client.connect(self.server.address)
        names = [f"{policy}-{number}" for policy in POLICIES for number in range(OF_EACH)]
        worker = Worker(
            client, task_queue=QUEUE, workflows=[Scheduled],
            workflow_runner=UnsandboxedWorkflowRunner(), graceful_shutdown_timeout=timedelta(seconds=1),
        )  # fmt: skip
        async with worker:
            await asyncio.gather(*(self.create(name) for name in names))
            stop = asyncio.Event()
            triggers = [asyncio.create_task(self.trigger(name, stop)) for name in names]
            await self.kill()
            stop.set()
            await asyncio.gather(*triggers)
            await asyncio.gather(*(self.patch(name, "pause", pause="the end") for name in names))
            await asyncio.gather(*(self.judge(name) for name in names))
        await self.server.stop()
        return self.problems + self.door.problems

    async def create(self, name: str) -> None:
        policy = POLICIES[name.rsplit("-", 1)[0]]
        jitter = 0.7 if name.endswith("1") else 0
        action = NewWorkflowExecutionInfo(
            workflow_id=name, workflow_type=WorkflowType(name="Scheduled"), task_queue=TaskQueue(name=QUEUE),
            input=payloads(1.5 * PERIOD),
        )  # fmt: skip
        schedule = Schedule(
            spec=ScheduleSpec(interval=[IntervalSpec(interval=seconds(PERIOD))], jitter=seconds(jitter)),
            policies=SchedulePolicies(overlap_policy=policy),
            action=ScheduleAction(start_workflow=action),
        )
        request = CreateScheduleRequest(
            namespace="default", schedule_id=name, request_id=f"create {name}", schedule=schedule
        )
        await self.door.call("create_schedule", request)

    async def patch(self, name: str, request_id: str, **fields: Any) -> None:
        request = PatchScheduleRequest(namespace="default", schedule_id=name, patch=SchedulePatch(**fields))
        request.request_id = request_id
        await self.door.call("patch_schedule", request)

    async def trigger(self, name: str, stop: asyncio.Event) -> None:
        """Triggers now and then, each time for a second of its own, until the kills are over."""
        number = 0
        while not stop.is_set():
            await asyncio.sleep(random.Random(f"{name} {number}").uniform(0.2, 1.5))
            number += 1
            at = datetime(2020, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=number)
            scheduled = Timestamp()
            scheduled.FromDatetime(at.replace(tzinfo=None))
            immediately = TriggerImmediatelyRequest(
                scheduled_time=scheduled, overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
            )
            await self.patch(name, f"trigger {number}", trigger_immediately=immediately)
            self.triggered.setdefault(name, []).append(at.strftime("%Y-%m-%dT%H:%M:%SZ"))

    async def kill(self) -> None:
        for _ in range(self.settings.kills):
            await asyncio.sleep(self.random.uniform(1.0, 4.0))
            down = self.random.choice([0, self.random.uniform(0.05, 3.0)])
            part = self.random.choice([self.server, self.server, self.postgres])
            self.kills += 1
            await part.kill()
            await asyncio.sleep(down)
            await part.start()
            if part is self.postgres and not self.server.runs:
                await self.server.start()
            print(f"    kill {self.kills:3} of the {part.kind}, down {down:.1f} s", flush=True)
        await asyncio.sleep(3)

    # What must hold

    async def judge(self, name: str) -> None:
        deadline = time.monotonic() + self.settings.settle
        request = DescribeScheduleRequest(namespace="default", schedule_id=name)
        while True:
            description, _ = await self.door.call("describe_schedule", request)
            runs = await self.started(name)
            info = description.info
            times = sorted((run for run in runs if run.time > "2021"), key=lambda run: run.time)
            is_quiet = not info.running_workflows and not info.buffer_size and all(run.closed for run in runs)
            lost = set(self.triggered.get(name, [])) - {run.time for run in runs}
            # A start that could not be made is made behind a pause, and nothing tells of it until then.
            is_whole = not lost and not self.lacks(name, times) and info.action_count == len(runs)
            if is_quiet and (is_whole or time.monotonic() > deadline):
                break
            if time.monotonic() > deadline:
                self.problems.append(f"{name} does not come to rest: {info}")
                return
            await asyncio.sleep(0.5)
        self.runs += len(runs)
        if info.action_count != len(runs):
            self.problems.append(f"{name} counts {info.action_count} actions and has {len(runs)} runs")
        doubled = [id for id, count in Counter(run.id for run in runs).items() if count > 1]
        if doubled:
            self.problems.append(f"{name} started twice: {sorted(doubled)}")
        if lost:
            self.problems.append(f"{name} lost acknowledged triggers: {sorted(lost)}")
        self.judge_times(name, times)

    def judge_times(self, name: str, runs: list[Run]) -> None:
        if len(runs) < 2:
            self.problems.append(f"{name} has {len(runs)} runs")
            return
        if lacks := self.lacks(name, runs):
            self.problems.append(f"{name} {lacks}")
            return
        if name.startswith("allow-all"):
            return
        for earlier, later in zip(runs, runs[1:], strict=False):
            if later.started < earlier.closed:
                self.problems.append(f"{name}: {later.id} began {earlier.closed - later.started:.3f} s early")

    def lacks(self, name: str, runs: list[Run]) -> str:
        """The first time that has no run, where each has to have one."""
        if not runs or not name.startswith(("allow-all", "buffer-all")):
            return ""
        first = datetime.strptime(runs[0].time, "%Y-%m-%dT%H:%M:%SZ")
        for number, run in enumerate(runs):
            expected = (first + timedelta(seconds=PERIOD * number)).strftime("%Y-%m-%dT%H:%M:%SZ")
            if run.time != expected:
                return f"has no run for {expected}; the next one is for {run.time}"
        return ""

    async def started(self, name: str) -> list[Run]:
        found: list[Run] = []
        request = ListWorkflowExecutionsRequest(
            namespace="default", query=f"TemporalScheduledById = '{name}'", page_size=1_000
        )
        while True:
            page, _ = await self.door.call("list_workflow_executions", request)
            for info in page.executions:
                is_open = info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
                closed = 0 if is_open else info.close_time.ToNanoseconds() / 1e9
                found.append(
                    Run(info.execution.workflow_id, info.start_time.ToNanoseconds() / 1e9, closed, info.status)
                )
            if not page.next_page_token:
                return found
            request.next_page_token = page.next_page_token

    def summary(self) -> str:
        triggers = sum(len(times) for times in self.triggered.values())
        return (
            f"{self.kills} kills; {len(POLICIES) * OF_EACH} schedules started {self.runs} runs; "
            f"{triggers} triggers acknowledged"
        )

    def clean(self) -> None:
        for part in reversed(self.parts):
            part.clean()


def seconds(count: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=count))
    return duration


async def run(folder: Path, settings: ScheduleSettings) -> tuple[list[str], str]:
    """The schedules on a new system; what is wrong, and a summary."""
    schedules = Schedules(folder, settings)
    try:
        began = time.monotonic()
        problems = await schedules.run()
        return problems, f"{schedules.summary()}, {time.monotonic() - began:.0f} s"
    finally:
        schedules.clean()
