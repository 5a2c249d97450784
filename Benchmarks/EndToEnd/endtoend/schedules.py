"""Schedules that are due in the same second: how late are their actions? And what do those cost that are not due?"""

import asyncio
import statistics
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from crash.postgres import Postgres
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import IntervalSpec, Schedule, ScheduleAction, SchedulePolicies, ScheduleSpec
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DescribeScheduleRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client

from . import processor
from .operations import MeasuredNode

PERIOD = 15
"""Seconds between two times of a schedule."""
ROUNDS = 3
QUIET = 20
"""Seconds in which nothing is due."""

MANY = """
insert into sagamore.schedules (namespace, schedule_id, instance, revision, alarm_at, definition, progress)
select namespace, 'idle-' || n, (lpad(to_hex(n), 12, '0') || '70008000000000000000')::uuid, 1,
    {alarm}::bigint + n * 1000000000::bigint, definition, progress
from sagamore.schedules, generate_series(1, {count}) as n where schedule_id = 'pattern'
"""
"""Rows are written directly. Their alarms are due tomorrow and later."""


def seconds(count: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=count))
    return duration


async def create(client: Client, id: str, period: int) -> None:
    action = NewWorkflowExecutionInfo(
        workflow_id=id, workflow_type=WorkflowType(name="Scheduled"), task_queue=TaskQueue(name="nobody")
    )
    schedule = Schedule(
        spec=ScheduleSpec(interval=[IntervalSpec(interval=seconds(period))]),
        action=ScheduleAction(start_workflow=action),
        policies=SchedulePolicies(overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL),
    )
    request = CreateScheduleRequest(namespace="default", schedule_id=id, request_id=id, schedule=schedule)
    await client.workflow_service.create_schedule(request)


async def crowd(client: Client, count: int) -> dict[str, Any]:
    """All begin in the same second, several times."""
    room = asyncio.Semaphore(20)

    async def one(number: int) -> None:
        async with room:
            await create(client, f"crowd-{number}", PERIOD)

    await asyncio.gather(*(one(number) for number in range(count)))
    # The first times may pass while schedules are still being created.
    first = (int(time.time()) // PERIOD + 1) * PERIOD
    await asyncio.sleep(first + (ROUNDS - 1) * PERIOD + 5 - time.time())
    late: list[float] = []
    for number in range(ROUNDS):
        nominal = first + number * PERIOD
        begins = [begun - nominal for begun in await begun_after(client, nominal, PERIOD)]
        assert len(begins) == count, f"{len(begins)} of {count} runs began in round {number}"
        late += begins
    late.sort()
    return {
        "schedules": count,
        "rounds": ROUNDS,
        "late_p50_ms": round(1_000 * statistics.median(late), 1),
        "late_p99_ms": round(1_000 * late[int(len(late) * 0.99)], 1),
        "late_max_ms": round(1_000 * late[-1], 1),
    }


async def begun_after(client: Client, nominal: int, period: int) -> list[float]:
    """When the runs began that are for a time."""
    found: list[float] = []
    request = ListWorkflowExecutionsRequest(
        namespace="default", page_size=1_000,
        query=f"StartTime >= {nominal}000000000 AND StartTime < {nominal + period}000000000",
    )  # fmt: skip
    while True:
        page = await client.workflow_service.list_workflow_executions(request)
        found += [info.start_time.ToNanoseconds() / 1e9 for info in page.executions]
        if not page.next_page_token:
            return found
        request.next_page_token = page.next_page_token


def schedules(binary: Path, logs: Path, count: int, idle: int) -> dict[str, Any]:
    async def all() -> dict[str, Any]:
        postgres = Postgres(logs)
        await postgres.start()
        node = MeasuredNode(binary, logs, postgres.url)
        try:
            node.configure()
            await node.begin()
            client = await Client.connect(node.address)
            await create(client, "pattern", 86_400 * 300)
            figures: dict[str, Any] = {"quiet_s": QUIET, "quiet_cpu_ms_without": await quiet(node, postgres)}
            await node.stop()
            alarm = time.time_ns() + 86_400_000_000_000
            answer = postgres.psql(MANY.format(count=idle, alarm=alarm))
            assert answer is not None, "the database refused the schedules"
            postgres.psql("vacuum analyze")
            await node.begin()
            client = await Client.connect(node.address)
            await client.workflow_service.describe_schedule(
                DescribeScheduleRequest(namespace="default", schedule_id=f"idle-{idle}")
            )
            await asyncio.sleep(5)
            figures |= {"idle": idle, "quiet_cpu_ms_with": await quiet(node, postgres)}
            figures["resident_mib"] = processor.resident_mib(node.process.pid) if node.process else 0
            figures["due_in_the_same_second"] = await crowd(client, count)
            return figures
        finally:
            node.clean()
            postgres.clean()

    return asyncio.run(all())


async def quiet(node: MeasuredNode, postgres: Postgres) -> list[float]:
    """The CPU milliseconds of the server and of PostgreSQL while nothing is due."""
    assert node.process and postgres.process
    pids = [node.process.pid, postgres.process.pid]
    await asyncio.sleep(3)
    before = processor.seconds(pids)
    await asyncio.sleep(QUIET)
    return [round(1_000 * (now - then)) for now, then in zip(processor.seconds(pids), before, strict=True)]
