"""What search attributes cost a saga: three at its start, and an upsert of one of them."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from crash.postgres import Postgres
from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .operations import AT_A_TIME, Booking, MeasuredNode, reserve
from .processor import seconds

CUSTOMER = SearchAttributeKey.for_keyword("Customer")
CITY = SearchAttributeKey.for_keyword("City")
PERSONS = SearchAttributeKey.for_int("Persons")
ROUNDS = 5


@workflow.defn
class MarkedBooking:
    @workflow.run
    async def run(self) -> list[str]:
        workflow.upsert_search_attributes([CITY.value_set("Bonn")])
        return await Booking().run()


async def cpu(client: Client, pids: list[int], flow: type, count: int, marks: bool) -> float:
    """CPU of node and database a saga, in milliseconds."""
    begun = 0
    name = f"{flow.__name__}-{time.time_ns()}"

    async def some() -> None:
        nonlocal begun
        while begun < count:
            begun += 1
            pairs = [
                SearchAttributePair(CUSTOMER, f"customer-{begun}"),
                SearchAttributePair(CITY, "Köln"),
                SearchAttributePair(PERSONS, begun % 7),
            ]
            attributes = TypedSearchAttributes(pairs) if marks else TypedSearchAttributes.empty
            await client.execute_workflow(
                flow.run, id=f"{name}-{begun}", task_queue="q", search_attributes=attributes
            )

    before = sum(seconds(pids))
    await asyncio.gather(*(some() for _ in range(AT_A_TIME)))
    return 1_000 * (sum(seconds(pids)) - before) / count


def attributes(binary: Path, logs: Path, count: int) -> dict[str, Any]:
    async def all() -> dict[str, Any]:
        postgres = Postgres(logs)
        await postgres.start()
        node = MeasuredNode(binary, logs, postgres.url)
        try:
            node.configure()
            await node.begin()
            client = await Client.connect(node.address)
            request = AddSearchAttributesRequest(namespace="default")
            for key, kind in ((CUSTOMER, "KEYWORD"), (CITY, "KEYWORD"), (PERSONS, "INT")):
                request.search_attributes[key.name] = IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind}")
            await client.operator_service.add_search_attributes(request)
            assert node.process and postgres.process
            pids = [node.process.pid, postgres.process.pid]
            found: dict[str, list[float]] = {"plain": [], "marked": []}
            async with Worker(
                client, task_queue="q", workflows=[Booking, MarkedBooking], activities=[reserve],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ):  # fmt: skip
                await cpu(client, pids, Booking, count // 2, False)
                for _ in range(ROUNDS):
                    found["plain"].append(await cpu(client, pids, Booking, count, False))
                    found["marked"].append(await cpu(client, pids, MarkedBooking, count, True))
            ratios = [marked / plain for plain, marked in zip(found["plain"], found["marked"], strict=True)]
            return {
                **{f"{name}_cpu_ms": round(statistics.median(all), 2) for name, all in found.items()},
                "marked_over_plain": round(statistics.median(ratios), 3),
                "spread": [round(min(ratios), 3), round(max(ratios), 3)],
            }
        finally:
            node.clean()
            postgres.clean()

    return asyncio.run(all())
