"""A worker on the official Python SDK: worker.py ADDRESS TASK-QUEUE TASK-QUEUE-OF-THE-SWIFT-WORKER

It ends when its standard input does.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

SWIFT_QUEUE = sys.argv[3]


@dataclass
class Parts:
    words: list[str]
    count: int
    separator: str | None = None  # Swift leaves out what is nil


@dataclass
class Joined:
    text: str
    is_long: bool
    ratio: float


@activity.defn
async def py_join(parts: Parts) -> Joined:
    text = ("+" if parts.separator is None else parts.separator).join(parts.words * parts.count)
    return Joined(text, len(text) > 10, 0.5)


@activity.defn
async def py_reverse(data: bytes) -> bytes:
    return data[::-1]


@activity.defn
async def py_nothing(value: str | None) -> None:
    assert value is None


@activity.defn
async def py_fail(reason: str) -> str:
    raise ApplicationError(reason, {"code": 7}, type="PyFailure", non_retryable=True)


@workflow.defn
class PyCaller:
    @workflow.run
    async def run(self, name: str) -> dict:
        limit = timedelta(seconds=10)
        joined = await workflow.execute_activity(
            "swift_join",
            Parts(["a", name], 2),
            task_queue=SWIFT_QUEUE,
            result_type=Joined,
            start_to_close_timeout=limit,
        )
        data = await workflow.execute_activity(
            "swift_reverse", b"\x00\x01\xff", task_queue=SWIFT_QUEUE, result_type=bytes, start_to_close_timeout=limit
        )
        nothing = await workflow.execute_activity("swift_nothing", task_queue=SWIFT_QUEUE, start_to_close_timeout=limit)
        try:
            await workflow.execute_activity(
                "swift_fail", "why not", task_queue=SWIFT_QUEUE, start_to_close_timeout=limit
            )
            failure = "none"
        except ActivityError as error:
            cause = error.cause
            assert isinstance(cause, ApplicationError)
            failure = f"{cause.type} {cause.message} {cause.details[0]['code']} {str(cause.non_retryable).lower()}"
        return {
            "text": joined.text,
            "is_long": joined.is_long,
            "ratio": joined.ratio,
            "data": list(data),
            "nothing": nothing,
            "failure": failure,
        }


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    worker = Worker(
        client,
        task_queue=sys.argv[2],
        workflows=[PyCaller],
        activities=[py_join, py_reverse, py_nothing, py_fail],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
