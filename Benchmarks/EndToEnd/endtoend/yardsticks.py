"""Fixed pieces of work, whose figures tell machines apart, and the saga on the Temporal server."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from children import end_with_parent
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from .parts import REPOSITORY


def least(rounds: int, count: int, work: Callable[[], None]) -> float:
    """Microseconds of one piece of work, in the best of several rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return round(best * 1e6 / count, 3)


def encoding() -> float:
    """Writing a history of 23 events to bytes, by Google's library in C."""
    history = History()
    for number in range(1, 24):
        event = history.events.add(event_id=number, task_id=number)
        event.event_type = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
        event.event_time.FromNanoseconds(1_700_000_000_000_000_000 + number)
        event.activity_task_completed_event_attributes.scheduled_event_id = number
        event.activity_task_completed_event_attributes.result.payloads.add(
            metadata={"encoding": b"json/plain"}, data=b'{"booked":true,"reference":"0123456789"}'
        )

    def work() -> None:
        for _ in range(2_000):
            history.SerializeToString()

    return least(7, 2_000, work)


def pipe() -> float:
    """A byte from one thread to another and back."""
    there, back = os.pipe(), os.pipe()

    def answer() -> None:
        while byte := os.read(there[0], 1):
            os.write(back[1], byte)

    thread = threading.Thread(target=answer)
    thread.start()

    def work() -> None:
        for _ in range(2_000):
            os.write(there[1], b"x")
            os.read(back[0], 1)

    figure = least(5, 2_000, work)
    os.close(there[1])
    thread.join()
    for descriptor in (there[0], *back):
        os.close(descriptor)
    return figure


def flush() -> float:
    """Writing 4 kB to a file and waiting until the disk has them."""
    with tempfile.TemporaryFile(dir=REPOSITORY / ".build") as file:

        def work() -> None:
            for _ in range(50):
                os.write(file.fileno(), b"x" * 4096)
                os.fdatasync(file.fileno())

        return least(5, 50, work)


def pieces() -> dict[str, float]:
    return {"encode_history_us": encoding(), "pipe_round_trip_us": pipe(), "write_4_kb_us": flush()}


def temporal() -> Path:
    """The program of the Temporal server."""
    return Path(os.environ.get("SAGAMORE_TEST_TEMPORAL") or Path(sys.executable).parent / "temporal")


async def until_usable(address: str) -> None:
    """Waits for a minute at most until the server knows its namespace, which comes after its port."""
    async with asyncio.timeout(60):
        client = await Client.connect(address, lazy=True)
        while True:
            with contextlib.suppress(RPCError, RuntimeError):
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
                return
            await asyncio.sleep(0.1)


@contextlib.contextmanager
def temporal_server() -> Iterator[tuple[str, int]]:
    """Its development server, in memory: its address and process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(temporal()), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory(prefix="bench-temporal-") as home:
        process = subprocess.Popen(
            [*command, "--log-level", "never"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env={**os.environ, "HOME": home}, preexec_fn=end_with_parent(),
        )  # fmt: skip
        try:
            asyncio.run(until_usable(f"127.0.0.1:{port}"))
            yield f"127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()
