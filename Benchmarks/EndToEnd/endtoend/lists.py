"""Lists and counts over a large table of runs: warm, and beside sagas that run."""

import asyncio
import statistics
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from crash.postgres import Postgres
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
    RegisterNamespaceRequest,
)
from temporalio.client import Client

from .operations import MeasuredNode

ROUNDS = 15
DAY = 86_400_000_000_000
"""Nanoseconds."""
NAMESPACES = ("default", "archive")
"""The second one has a fiftieth of the first one's runs, which are all older."""

RUNS = """
insert into sagamore.runs (run_id, namespace, slice, status, started_at, closed_at, history_length, history_bytes,
    workflow_id, workflow_type, task_queue, start_request_id, transitions, saga_status)
select (lpad(to_hex(at / 1000000), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
    {namespace}, n % 4096,
    case when chance < 10 then 1 when chance < 60 then 3 when chance < 80 then 5 else 2 end,
    at, case when chance >= 10 then at + 1000000000::bigint * (n % 3600) end,
    20 + n % 30, 4000 + n % 900, 'order-' || n, 'Type' || least(n % 20, n / 20 % 13),
    'queue-' || n % 5, 'request-' || n, 12, case when chance = 10 then 4 end
from (
    select n, {first}::bigint + n * {step}::bigint as at, ('x' || left(md5(n::text), 6))::bit(24)::int % 1000 as chance
    from generate_series(1, {count}) as n
) as s
"""
"""Runs of a month: 1 % are open, 5 % failed, 2 % were terminated; one of 1,000 failed to compensate."""

VALUES = """
insert into sagamore.search_values (run_id, attribute, position, namespace, word)
select run_id, {attribute}, 0, namespace,
    case when number % 2 = 0 then 'frequent' else 'customer-' || number / 2 % 20000 end
from (
    select *, ('x' || right(md5(workflow_id), 6))::bit(24)::int as number from sagamore.runs
) as r
"""
"""Every run has a customer: a half the same, the others one of 20,000."""


def questions(now: int) -> dict[str, str]:
    hour = f"BETWEEN {now - DAY} AND {now - DAY + DAY // 24}"
    return {
        "everything": "",
        "by_status_rare": "ExecutionStatus = 'Terminated'",
        "by_status_common": "ExecutionStatus = 'Completed'",
        "by_type": "WorkflowType = 'Type7'",
        "by_type_and_status": "WorkflowType = 'Type7' AND ExecutionStatus = 'Failed'",
        "by_keyword_rare": "Customer = 'customer-4321'",
        "by_keyword_common": "Customer = 'frequent'",
        "by_keyword_and_status": "Customer = 'frequent' AND ExecutionStatus = 'Failed'",
        "by_time_ordered_by_start": f"StartTime {hour} ORDER BY StartTime",
        "by_time_ordered_by_close": f"CloseTime {hour} ORDER BY CloseTime DESC",
        "failed_to_compensate": "SagaStatus = 'compensation failed'",
        "by_workflow_id": "WorkflowId = 'order-500000'",
    }


COUNTS = {
    "all": "",
    "by_status": "GROUP BY ExecutionStatus",
    "open": "ExecutionStatus = 'Running'",
    "failed_of_a_type": "WorkflowType = 'Type7' AND ExecutionStatus = 'Failed'",
}


async def milliseconds(client: Client, now: int) -> dict[str, Any]:
    """The median of a page of 100, and of a count."""
    figures: dict[str, Any] = {"page_ms": {}, "count_ms": {}}
    service = client.workflow_service
    pages = [(name, NAMESPACES[0], query) for name, query in questions(now).items()]
    for name, namespace, query in [*pages, ("everything_of_an_old_namespace", NAMESPACES[1], "")]:
        request = ListWorkflowExecutionsRequest(namespace=namespace, page_size=100, query=query)
        times = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            answer = await service.list_workflow_executions(request)
            times.append(1_000 * (time.monotonic() - began))
        figures["page_ms"][name] = [round(statistics.median(times), 1), round(max(times[1:]), 1)]
        figures.setdefault("found", {})[name] = len(answer.executions)
    for name, query in COUNTS.items():
        times = []
        for _ in range(ROUNDS // 3):
            began = time.monotonic()
            await service.count_workflow_executions(CountWorkflowExecutionsRequest(namespace="default", query=query))
            times.append(1_000 * (time.monotonic() - began))
        figures["count_ms"][name] = [round(statistics.median(times), 1), round(max(times[1:]), 1)]
    return figures


def generate(postgres: Postgres, count: int, now: int) -> None:
    """Rows are written directly: a million sagas would take an hour."""

    def run(sql: str) -> str:
        answer = postgres.psql(sql)
        assert answer is not None, f"the database refused: {sql[:100]}"
        return answer

    namespaces = [run(f"select number from sagamore.namespaces where name = '{name}'") for name in NAMESPACES]
    attribute = run("select id from sagamore.search_attributes where name = 'Customer'")
    step = 30 * DAY // count
    run(RUNS.format(namespace=namespaces[0], first=now - 30 * DAY, step=step, count=count))
    run(RUNS.format(namespace=namespaces[1], first=now - 60 * DAY, step=step, count=count // 50))
    run(VALUES.format(attribute=attribute))
    run("vacuum analyze")


def lists(binary: Path, logs: Path, sagaload: str, count: int, rate: float) -> dict[str, Any]:
    async def all() -> dict[str, Any]:
        postgres = Postgres(logs)
        await postgres.start()
        node = MeasuredNode(binary, logs, postgres.url)
        try:
            node.configure()
            await node.begin()
            client = await Client.connect(node.address)
            request = AddSearchAttributesRequest(namespace="default")
            request.search_attributes["Customer"] = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
            await client.operator_service.add_search_attributes(request)
            archive = RegisterNamespaceRequest(namespace=NAMESPACES[1])
            archive.workflow_execution_retention_period.FromTimedelta(timedelta(days=90))
            await client.workflow_service.register_namespace(archive)
            await node.stop()
            now = time.time_ns()
            began = time.monotonic()
            await asyncio.to_thread(generate, postgres, count, now)
            figures: dict[str, Any] = {"runs": count, "generated_in_s": round(time.monotonic() - began, 1)}
            await node.begin()
            client = await Client.connect(node.address)
            figures["alone"] = await milliseconds(client, now)
            if sagaload:
                sagas = str(int(rate * 120))
                command = [sagaload, "--address", node.address, "--count", sagas, "--rate", str(rate)]
                with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as load:
                    try:
                        await asyncio.sleep(5)
                        figures[f"beside_{rate:.0f}_sagas_a_second"] = await milliseconds(client, now)
                        assert load.poll() is None, "the load ended too early"
                    finally:
                        load.kill()
            return figures
        finally:
            node.clean()
            postgres.clean()

    return asyncio.run(all())
