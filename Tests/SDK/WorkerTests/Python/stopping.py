"""Workers on the official Python SDK that end: stopping.py ADDRESS TASK-QUEUE

The last line says how many seconds each took to stop: one that is cancelled, one whose poll for activities fails for
good, and one that is cancelled and whose sticky queue the server refuses, because its identity makes the queue's name
too long.
"""

import asyncio
import json
import logging
import os
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.bridge.worker import Worker as BridgeWorker
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

ADDRESS, QUEUE = sys.argv[1:]
LIMIT = 100  # seconds: longer than a poll waits

logging.disable(logging.CRITICAL)  # the failures are intended


@activity.defn
async def greet() -> str:
    return "hello"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(greet, start_to_close_timeout=timedelta(seconds=30))


class FailingPoll:
    """Takes the place of a poll for activities; it fails once when it is told to."""

    def __init__(self) -> None:
        self.original = BridgeWorker.poll_activity_task
        self.fails = False

    def install(self) -> None:
        poll = self

        async def poll_activity_task(worker: BridgeWorker):
            if poll.fails:
                poll.fails = False
                raise RuntimeError("the poll fails for good")
            return await poll.original(worker)

        BridgeWorker.poll_activity_task = poll_activity_task


async def seconds_to_stop(client: Client, way: str, poll: FailingPoll) -> float:
    queue = f"{QUEUE}-{way}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Greeting],
        activities=[greet],
        workflow_runner=UnsandboxedWorkflowRunner(),
        identity="i" * 990 if way == "refused" else None,  # names are limited to 1,000 bytes
    )
    running = asyncio.create_task(worker.run())
    await client.execute_workflow(Greeting.run, id=f"{queue}-1", task_queue=queue)
    begin = time.monotonic()
    if way == "failed":
        poll.fails = True
        await client.start_workflow(Greeting.run, id=f"{queue}-2", task_queue=queue)
    else:
        running.cancel()
    done, _ = await asyncio.wait([running], timeout=LIMIT)
    assert done, f"a worker that is {way} does not stop in {LIMIT} s"
    assert running.cancelled() or running.exception() is not None, f"a worker that is {way} ended in order"
    return time.monotonic() - begin


async def main() -> None:
    poll = FailingPoll()
    poll.install()
    client = await Client.connect(ADDRESS)
    ways = ("cancelled", "failed", "refused")
    print(json.dumps({way: await seconds_to_stop(client, way, poll) for way in ways}), flush=True)
    # The SDK's threads may call into an interpreter that is being taken down, and crash.
    os._exit(0)


asyncio.run(main())
