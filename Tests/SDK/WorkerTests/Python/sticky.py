"""A worker on the official Python SDK that keeps its runs in memory: sticky.py ADDRESS TASK-QUEUE

It ends when its standard input does.
"""

import asyncio
import sys

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker


@workflow.defn
class PyWaiting:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.waits = False

    @workflow.run
    async def run(self) -> str:
        self.waits = True
        await workflow.wait_condition(lambda: len(self.said) > 0)
        return self.said[0]

    @workflow.signal
    def say(self, word: str) -> None:
        self.said.append(word)

    @workflow.query
    def is_waiting(self) -> bool:
        return self.waits


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    worker = Worker(
        client,
        task_queue=sys.argv[2],
        workflows=[PyWaiting],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
