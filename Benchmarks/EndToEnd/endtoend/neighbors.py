"""What endless workflows cost the others: steps of a workflow beside those that signal each other, start children or
follow a schedule without end.

The endless ones have their worker in a process of its own, because in this one steps would wait for the interpreter
lock.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .transitions import Stepper

KINDS = ["signals", "children", "cron"]
WARM_UP = 2.0
"""Seconds in which the endless ones begin."""
REST = 0.02
"""Seconds between two steps: a workflow that takes one after the other is a busy one itself."""


@workflow.defn
class Pings:
    """Answers each signal with one to its other, without end."""

    def __init__(self) -> None:
        self.due = 0

    @workflow.signal
    def ping(self) -> None:
        self.due += 1

    @workflow.run
    async def run(self, other: str, begins: bool) -> None:
        self.due += begins
        while not workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(lambda: self.due > 0)
            self.due -= 1
            await workflow.get_external_workflow_handle(other).signal("ping")
        # The other one's signal may still be on its way: it goes to the next run.
        workflow.continue_as_new(args=[other, self.due > 0])


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None:
        return None


@workflow.defn
class Crowd:
    """Starts children without end, ten at a time."""

    @workflow.run
    async def run(self) -> None:
        while not workflow.info().is_continue_as_new_suggested():
            await asyncio.gather(*(workflow.execute_child_workflow(Child.run) for _ in range(10)))
        workflow.continue_as_new()


@workflow.defn
class Slow:
    """Takes longer than the second after which its schedule wants it again."""

    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(3)


async def endless(address: str, kind: str) -> None:
    """Begins workflows of a kind and works for them until standard input ends. Prints how many tasks they took."""
    client = await Client.connect(address)
    timeout = timedelta(minutes=10)
    if kind == "signals":
        for name, other, begins in (("ping", "pong", False), ("pong", "ping", True)):
            arguments = [other, begins]
            await client.start_workflow(
                Pings.run, args=arguments, id=name, task_queue=kind, execution_timeout=timeout
            )
    elif kind == "children":
        await client.start_workflow(Crowd.run, id="crowd", task_queue=kind, execution_timeout=timeout)
    else:
        for number in range(10):
            await client.start_workflow(Slow.run, id=f"slow-{number}", task_queue=kind, cron_schedule="@every 1s")
    worker = Worker(
        client, task_queue=kind, workflows=[Pings, Child, Crowd, Slow], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with worker:
        await asyncio.to_thread(sys.stdin.read)


@contextlib.contextmanager
def beside(address: str, kind: str) -> Iterator[None]:
    """Endless workflows of a kind until the block ends; then their worker is killed, and they wait for one."""
    command = [sys.executable, "-m", __name__, address, kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as program:
        try:
            yield
        finally:
            program.kill()


async def milliseconds_per_step(client: Client, name: str, steps: int) -> float:
    """The median: one step is a signal and the workflow task that it causes."""
    stepper = Stepper(client, name)
    await stepper.start()
    taken = []
    for _ in range(steps):
        began = time.monotonic()
        await stepper.step()
        taken.append(1000 * (time.monotonic() - began))
        await asyncio.sleep(REST)
    return statistics.median(taken)


async def measure(address: str, steps: int) -> dict[str, Any]:
    client = await Client.connect(address)
    alone = await milliseconds_per_step(client, "alone", steps)
    figures: dict[str, Any] = {"alone_ms": round(alone, 2)}
    for kind in KINDS:
        with beside(address, kind):
            await asyncio.sleep(WARM_UP)
            besides = await milliseconds_per_step(client, f"beside-{kind}", steps)
        figures[f"beside_{kind}_ms"] = round(besides, 2)
        figures[f"beside_{kind}_ratio"] = round(besides / alone, 2)
    figures["alone_after_ms"] = round(await milliseconds_per_step(client, "alone-after", steps), 2)
    return figures


def neighbors(address: str, steps: int) -> dict[str, Any]:
    return asyncio.run(measure(address, steps))


if __name__ == "__main__":
    asyncio.run(endless(sys.argv[1], sys.argv[2]))
