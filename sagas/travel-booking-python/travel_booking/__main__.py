"""The worker: `python -m travel_booking [--processes N]`."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from datetime import timedelta

from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker

from . import activities
from .activity_log import ActivityLog
from .booking import TASK_QUEUE
from .processes import run_processes
from .workflow import TravelBooking

logger = logging.getLogger("travel_booking")

GRACE = timedelta(seconds=5)
"""How long activities may go on once the worker was told to end."""
LONGEST_END = timedelta(seconds=7)
"""How long ending may take in all. The SDK waits for the server's answers to its polls, which may never come."""


async def work(address: str, namespace: str) -> None:
    """Connects and works until cancelled, then ends what is running and returns its slots.

    While a server restarts the SDK's pollers try again by themselves; what ends them is raised.
    """
    client = await Client.connect(address, namespace=namespace)
    log = os.environ.get("TRAVEL_BOOKING_ACTIVITY_LOG")
    worker = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[TravelBooking],
        activities=activities.ALL,
        interceptors=[ActivityLog(log)] if log else [],
        graceful_shutdown_timeout=GRACE,
    )
    async with worker:
        logger.info("working on task queue %s of %s", TASK_QUEUE, address)
        await asyncio.Event().wait()


async def work_until_told(*, ends_with_stdin: bool) -> None:
    """Works until SIGTERM or SIGINT; a server that is not there yet is waited for."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def end() -> None:
        leave_after(LONGEST_END)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if ends_with_stdin:

        def ended() -> None:
            loop.remove_reader(sys.stdin.fileno())
            end()

        loop.add_reader(sys.stdin.fileno(), ended)
    # While a server is away every poller would tell every attempt.
    log = LoggingConfig(filter="warn,temporalio_client::retry=error")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=log)))
    address = os.environ.get("SAGAMORE_ADDRESS") or "127.0.0.1:7233"
    namespace = os.environ.get("SAGAMORE_NAMESPACE") or "default"
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            try:
                await work(address, namespace)
            except Exception as error:
                reason = (str(error) or type(error).__name__).splitlines()[0]
                logger.warning("cannot work with %s, trying again: %s", address, reason)
                await asyncio.sleep(1)


def leave_after(time: timedelta) -> None:
    """Ends this process once `time` is over, whatever it waits for. The server gives what was running to others."""

    def leave() -> None:
        logger.warning("the server did not let the worker end within %.0f s, leaving", time.total_seconds())
        os._exit(0)

    timer = threading.Timer(time.total_seconds(), leave)
    timer.daemon = True
    timer.start()


def main() -> int:
    parser = argparse.ArgumentParser(prog="travel_booking", description="The worker of the travel booking saga.")
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="worker processes (default: 1)")
    parser.add_argument("--ends-with-stdin", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.processes < 1:
        parser.error("--processes must be at least 1")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if arguments.processes > 1:
        run_processes(arguments.processes, [sys.executable, "-m", "travel_booking", "--ends-with-stdin"])
    else:
        asyncio.run(work_until_told(ends_with_stdin=arguments.ends_with_stdin))
    return 0


if __name__ == "__main__":
    sys.exit(main())
