"""Starts workflows over gRPC at a fixed rate and measures how long each start took.

A separate program, because in the process that publishes and reads, starts would wait for the interpreter lock.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from temporalio.client import Client

from .bookings import percentiles

INTERVAL = 0.05
"""Seconds from one start to the next, whether or not the first has been answered."""


async def start_workflows(address: str, queue: str) -> dict[str, Any]:
    """Starts workflows until standard input ends, then waits for the answers."""
    client = await Client.connect(address)
    milliseconds: list[float] = []
    failures: list[str] = []

    async def start(workflow_id: str) -> None:
        began = time.monotonic()
        try:
            await client.start_workflow("Booking", id=workflow_id, task_queue=queue)
            milliseconds.append((time.monotonic() - began) * 1000)
        except Exception as error:
            failures.append(repr(error))

    stop = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    name, number, began = format(time.time_ns(), "x"), 0, time.monotonic()
    async with asyncio.TaskGroup() as starts:
        while not stop.done():
            starts.create_task(start(f"start-{name}-{number}"))
            number += 1
            await asyncio.sleep(max(0, began + number * INTERVAL - time.monotonic()))
    return {"count": len(milliseconds), "ms": percentiles(milliseconds), "failures": failures}


@contextlib.contextmanager
def starting(address: str, queue: str) -> Iterator[dict[str, Any]]:
    """Starts workflows until the block ends. The yielded dictionary then holds the answer."""
    command = [sys.executable, "-m", __name__, address, queue]
    answer: dict[str, Any] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        yield answer
        output, _ = program.communicate()
    answer.update(json.loads(output))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(start_workflows(sys.argv[1], sys.argv[2]))))
