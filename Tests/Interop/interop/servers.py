"""Starts and ends the two servers."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from children import end_with_parent
from ports import free_port
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError


@dataclass(frozen=True)
class Server:
    """A server that answers at `address`; `name` is what differences are printed with."""

    name: str
    address: str
    process: "subprocess.Popen[bytes]"

    def runs(self) -> bool:
        return self.process.poll() is None


class ServerFailed(Exception):
    """A server could not be started."""


# A closed run is deleted once the server's queues have noted that they are past it, which takes up to 30 s by default.
DELETIONS_AT_ONCE = [
    argument
    for queue in ("transfer", "visibility")
    for argument in ("--dynamic-config-value", f'history.{queue}ProcessorUpdateAckInterval="100ms"')
]


LISTS_WITHOUT_LIMIT = ["--dynamic-config-value", "frontend.namespaceRPS.visibility=100000"]


@contextlib.asynccontextmanager
async def temporal_server(program: Path, settings: "dict[str, int] | None" = None) -> AsyncIterator[Server]:
    """The Temporal development server, with a database of its own that is removed at the end.

    `settings` are values of the dynamic configuration; a server with some also knows the search attributes
    `Limited1` to `Limited3`.
    """
    with tempfile.TemporaryDirectory(prefix="interop-temporal-") as folder:
        port = free_port()
        command = [
            str(program), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(port),
            "--db-filename", f"{folder}/temporal.db", "--log-level", "never", *DELETIONS_AT_ONCE,
            *LISTS_WITHOUT_LIMIT, *dynamic(settings),
        ]  # fmt: skip
        if settings:
            command += limited_attributes()
        log = Path(folder) / "log"
        async with running(command, log) as process:
            server = Server("temporal", f"127.0.0.1:{port}", process)
            await until_usable(server, log)
            yield server


@contextlib.asynccontextmanager
async def sagamore_server(program: Path, settings: "dict[str, int] | None" = None) -> AsyncIterator[Server]:
    """`sagamore dev` with a fresh data folder."""
    with tempfile.TemporaryDirectory(prefix="interop-sagamore-") as folder:
        data = Path(folder) / "data"
        command = [
            str(program), "dev", "--ephemeral", "--data-dir", str(data), "--ip", "127.0.0.1",
            "--port", str(free_port()), "--http-port", str(free_port()), "--log-level", "warning",
            *dynamic(settings),
        ]  # fmt: skip
        if settings:
            command += limited_attributes()
        log = Path(folder) / "log"
        async with running(command, log) as process:
            ready = data / "dev.json"
            while not ready.exists():
                check_runs(process, log)
                await asyncio.sleep(0.05)
            server = Server("sagamore", json.loads(ready.read_text())["grpc"], process)
            await until_usable(server, log)
            yield server


def limited_attributes() -> list[str]:
    return [part for number in "123" for part in ("--search-attribute", f"Limited{number}=Keyword")]


def dynamic(settings: "dict[str, int] | None") -> list[str]:
    """Values of the dynamic configuration as arguments, which both programs take alike."""
    return [part for key, value in (settings or {}).items() for part in ("--dynamic-config-value", f"{key}={value}")]


@contextlib.asynccontextmanager
async def running(command: list[str], log: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, so that Ctrl-C reaches only this program, which then ends it in order."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env={**os.environ, "HOME": str(log.parent)}, preexec_fn=end_with_parent(),
        )  # fmt: skip
    try:
        yield process
    finally:
        await ended(process)


async def ended(process: "subprocess.Popen[bytes]", seconds: float = 20) -> int:
    """Asks a process to end, and kills its group when it doesn't: its status."""
    process.send_signal(signal.SIGTERM)
    try:
        return await asyncio.to_thread(process.wait, seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


async def until_usable(server: Server, log: Path) -> None:
    """Waits until the namespace `default` can be described."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        check_runs(server.process, log)
        try:
            client = await Client.connect(server.address)
            await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
            return
        except (RuntimeError, RPCError):  # not listening yet, not ready yet
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.1)


def check_runs(process: "subprocess.Popen[bytes]", log: Path) -> None:
    if process.poll() is not None:
        said = log.read_text(errors="replace")[-2000:]
        raise ServerFailed(f"the program ended with status {process.returncode}. {said}")
