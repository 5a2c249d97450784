"""The sample's workers end within 10 seconds of SIGTERM, also when the server doesn't answer."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from children import end_with_parent

from .servers import sagamore_server

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON = REPOSITORY / "sagas/travel-booking-python/run"
LONGEST = 10
"""Seconds from the signal to the end of a worker's last process."""
WORKING = b"working on task queue"


class Worker:
    """A worker of the sample. All of its processes write to one pipe, whose end says that the last of them is gone."""

    def __init__(self, name: str, command: list[str], processes: int, address: str, folder: Path) -> None:
        self.name, self.processes = name, processes
        self.output = folder / name.replace(" ", "-")
        environment = {
            **os.environ,
            "SAGAMORE_ADDRESS": address,
            "TRAVEL_BOOKING_PYTHON": sys.executable,
        }
        self.reading, writing = os.pipe()
        os.set_blocking(self.reading, False)
        self.said = b""
        self.ended = False
        try:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing,
                start_new_session=True, preexec_fn=end_with_parent(),
            )  # fmt: skip
        finally:
            os.close(writing)

    def read(self) -> None:
        """Takes what it has said since."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.reading, 65536):
                self.said += data
            self.ended = True

    def works(self) -> bool:
        self.read()
        return self.said.count(WORKING) >= self.processes

    def has_ended(self) -> bool:
        self.read()
        return self.ended and self.process.poll() is not None

    def clean(self) -> None:
        """Kills what is left: the worker and, when it was killed itself, its processes, which are in other sessions."""
        for process in [*children(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        os.close(self.reading)


def children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], stdout=subprocess.PIPE, text=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, its_parent in rows if int(its_parent) == parent]


@contextlib.asynccontextmanager
async def workers(address: str, swift: Path) -> AsyncIterator[list[Worker]]:
    """The worker in Python with one process and with two, and the one in Swift."""
    with tempfile.TemporaryDirectory(prefix="interop-workers-") as name:
        folder, started = Path(name), list[Worker]()
        try:
            started.append(Worker("Python", [str(PYTHON)], 1, address, folder))
            started.append(Worker("Python, two processes", [str(PYTHON), "--processes", "2"], 2, address, folder))
            started.append(Worker("Swift", [str(swift)], 1, address, folder))
            yield started
        finally:
            for worker in started:
                worker.clean()


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            return condition()
        await asyncio.sleep(0.02)
    return True


async def told(started: list[Worker], number: signal.Signals) -> list[str]:
    """Signals the workers; what is wrong with their ends."""
    for worker in started:
        worker.process.send_signal(number)
    await until(lambda: all(worker.has_ended() for worker in started), LONGEST)
    problems = []
    for worker in started:
        if not worker.has_ended():
            problems.append(f"  {worker.name}: not ended {LONGEST} s after {number.name}: {last_words(worker)}")
        elif number == signal.SIGTERM and worker.process.returncode not in (0, -signal.SIGTERM):
            problems.append(f"  {worker.name}: ended with {worker.process.returncode}: {last_words(worker)}")
    return problems


def last_words(worker: Worker) -> str:
    return " | ".join(worker.said.decode(errors="replace").splitlines()[-4:]) or "it said nothing"


async def all_work(started: list[Worker]) -> list[str]:
    await until(lambda: all(worker.works() for worker in started), 60)
    return [f"  {worker.name}: does not work: {last_words(worker)}" for worker in started if not worker.works()]


async def with_a_silent_server(server: Path) -> list[str]:
    """A listening socket that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        accepted: list[socket.socket] = []

        def all_connected() -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    accepted.append(listener.accept()[0])
            return len(accepted) >= 4

        try:
            async with workers(f"127.0.0.1:{listener.getsockname()[1]}", swift_worker(server)) as started:
                if not await until(all_connected, 60):
                    return [f"  {len(accepted)} of 4 processes have connected"]
                return await told(started, signal.SIGTERM)
        finally:
            for each in accepted:
                each.close()


async def with_a_stopped_server(server: Path) -> list[str]:
    """The server stops (SIGSTOP) while the workers poll: it completes nothing, and keeps the connections."""
    async with sagamore_server(server) as running, workers(running.address, swift_worker(server)) as started:
        if problems := await all_work(started):
            return problems
        running.process.send_signal(signal.SIGSTOP)
        try:
            return await told(started, signal.SIGTERM)
        finally:
            running.process.send_signal(signal.SIGCONT)


async def with_a_server_that_is_gone(server: Path) -> list[str]:
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(sagamore_server(server))
        started = await stack.enter_async_context(workers(running.address, swift_worker(server)))
        if problems := await all_work(started):
            return problems
        running.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(running.process.wait, 60)
        return await told(started, signal.SIGTERM)


async def killed_with_a_stopped_server(server: Path) -> list[str]:
    """What `--processes` started ends when its parent is killed and can't end it."""
    async with sagamore_server(server) as running, workers(running.address, swift_worker(server)) as started:
        if problems := await all_work(started):
            return problems
        running.process.send_signal(signal.SIGSTOP)
        left = [child for worker in started for child in children(worker.process.pid)]
        try:
            return await told(started, signal.SIGKILL)
        finally:
            for child in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            running.process.send_signal(signal.SIGCONT)


def swift_worker(server: Path) -> Path:
    return server.with_name("TravelBooking")


CHECKS: dict[str, Callable[[Path], Awaitable[list[str]]]] = {
    "workers-end-with-a-silent-server": with_a_silent_server,
    "workers-end-with-a-stopped-server": with_a_stopped_server,
    "workers-end-without-a-server": with_a_server_that_is_gone,
    "workers-end-when-killed": killed_with_a_stopped_server,
}
"""By the name that `--only` takes."""
