"""One workflow with many children: how many children a second, and what a signal to another workflow costs."""

import asyncio
import time
from typing import Any

from temporalio.client import Client


async def measure(address: str, children: int, signals: int) -> dict[str, Any]:
    """Starts parents on a worker that is running: one to warm up, one for the children, one for the signals."""
    client = await Client.connect(address)

    async def run(plan: dict[str, int]) -> float:
        began = time.monotonic()
        name = "-".join(f"{key}{value}" for key, value in plan.items())
        result = await client.execute_workflow("FamilyCrowd", plan, id=f"crowd-{name}", task_queue="families")
        if result != sum(plan.values()):
            raise ValueError(f"a crowd of {plan} says {result}")
        return time.monotonic() - began

    await run({"children": 20, "signals": 5})
    took = await run({"children": children, "signals": 0})
    signalling = await run({"children": 0, "signals": signals})
    return {
        "children": children,
        "children_per_s": round(children / took, 1),
        "signals": signals,
        "ms_per_signal": round(1000 * signalling / signals, 2),
    }


def children(address: str, count: int, signals: int) -> dict[str, Any]:
    return asyncio.run(measure(address, count, signals))
