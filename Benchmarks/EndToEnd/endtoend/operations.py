"""What it costs to run a node for real: encryption and tokens, connections that only wait, a namespace that floods
beside another one, and a start with many parked runs."""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
from crash.pair import Node
from crash.postgres import Postgres
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from temporalio import activity, workflow
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest, StartWorkflowExecutionRequest
from temporalio.client import Client, TLSConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .neighbors import milliseconds_per_step
from .processor import resident_mib, seconds

AT_A_TIME = 10
CONNECTIONS = 1_000
POLLS_OF_ONE = 5
IDLE_SECONDS = 10.0
FLOOD_LIMIT = 200
"""Requests a second that the namespace that floods may have."""


@activity.defn
async def reserve(what: str) -> str:
    return f"{what} is reserved"


@workflow.defn
class Booking:
    @workflow.run
    async def run(self) -> list[str]:
        timeout = timedelta(seconds=30)
        return [
            await workflow.execute_activity(reserve, what, start_to_close_timeout=timeout)
            for what in ("car", "hotel", "flight")
        ]


class MeasuredNode(Node):
    def __init__(self, binary: Path, logs: Path, url: str) -> None:
        super().__init__("measured", logs, url, None)
        self.binary, self.base = binary, self.configuration.read_text()

    def command(self) -> list[str]:
        return [str(self.binary), "serve", "--config", str(self.configuration)]

    def configure(self, grpc_lines: str = "", more: str = "") -> None:
        self.configuration.write_text(self.base.replace("grpc:\n", f"grpc:\n{grpc_lines}") + more)

    async def begin(self) -> float:
        """Returns after how many seconds it accepts requests."""
        began = time.monotonic()
        await self.start()
        while not self.is_ready:
            assert self.runs, self.last_words()
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    @property
    def is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/readyz", timeout=5).status == 200
        return False


@dataclass
class Way:
    """How clients reach the node."""

    grpc_lines: str = ""
    more: str = ""
    tls: TLSConfig | bool = False
    token: str | None = None


def make_certificates(folder: Path) -> None:
    """A root, and the node's certificate, which the SDK takes only when it is another one."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    new = ["openssl", "req", "-x509", *curve, "-nodes", "-days", "2"]
    own = ["-subj", "/CN=node", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    for command in (
        [*new, "-subj", "/CN=root", "-keyout", "root-key.pem", "-out", "root.pem"],
        [*new, *own, "-CA", "root.pem", "-CAkey", "root-key.pem", "-keyout", "key.pem", "-out", "server.pem"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def ways(folder: Path) -> dict[str, Way]:
    make_certificates(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    keys = {"keys": [json.loads(ECAlgorithm.to_jwk(key.public_key()))]}
    (folder / "keys.json").write_text(json.dumps(keys))
    claims = {"sub": "bench", "exp": time.time() + 86_400, "permissions": ["default:write"]}
    authorization = f"authorization:\n  jwt:\n    keySet: {folder}/keys.json\n"
    encryption = f"  tls:\n    certificate: {folder}/server.pem\n    key: {folder}/key.pem\n"
    roots = TLSConfig(server_root_ca_cert=(folder / "root.pem").read_bytes(), domain="127.0.0.1")
    return {
        "plain": Way(),
        "tls": Way(grpc_lines=encryption, tls=roots),
        "jwt": Way(more=authorization, token=jwt.encode(claims, key, algorithm="ES256")),
    }


async def sagas(node: MeasuredNode, postgres: Postgres, way: Way, count: int) -> float:
    """CPU of node and database a saga, in milliseconds."""
    client = await Client.connect(node.address, tls=way.tls, api_key=way.token)
    runner = UnsandboxedWorkflowRunner()
    worker = Worker(client, task_queue="q", workflows=[Booking], activities=[reserve], workflow_runner=runner)
    async with worker:
        begun = 0

        async def some(name: str, until: int) -> None:
            nonlocal begun
            while begun < until:
                begun += 1
                await client.execute_workflow(Booking.run, id=f"{name}-{begun}-{time.time_ns()}", task_queue="q")

        async def many(name: str, until: int) -> None:
            await asyncio.gather(*(some(name, until) for _ in range(AT_A_TIME)))

        await many("warm", count // 4)
        assert node.process and postgres.process
        pids = [node.process.pid, postgres.process.pid]
        before = sum(seconds(pids))
        begun = 0
        await many("timed", count)
        return 1_000 * (sum(seconds(pids)) - before) / count


async def guards(node: MeasuredNode, postgres: Postgres, folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """In turns, since the machine is noisy."""
    found: dict[str, list[float]] = {}
    all_ways = ways(folder)
    for _ in range(rounds):
        for name, way in all_ways.items():
            node.configure(way.grpc_lines, way.more)
            await node.begin()
            found.setdefault(name, []).append(await sagas(node, postgres, way, count))
            await node.stop()
    figures: dict[str, Any] = {f"{name}_cpu_ms": round(statistics.median(all), 2) for name, all in found.items()}
    for name in ("tls", "jwt"):
        ratios = [other / plain for other, plain in zip(found[name], found["plain"], strict=True)]
        figures[f"{name}_over_plain"] = round(statistics.median(ratios), 3)
        figures[f"{name}_over_plain_spread"] = [round(min(ratios), 3), round(max(ratios), 3)]
    return figures


async def waiting(node: MeasuredNode) -> dict[str, Any]:
    """Connections with long polls: what they take in memory, and of the processor while nothing happens."""
    node.configure()
    await node.begin()
    assert node.process
    pid = node.process.pid
    before = resident_mib(pid)
    request = PollActivityTaskQueueRequest(namespace="default", identity="idle")
    request.task_queue.name = "nobody"
    payload = request.SerializeToString()
    channels, polls = [], []
    for number in range(CONNECTIONS):
        # Each channel has a connection of its own only where it shares none with the others.
        options = [("grpc.use_local_subchannel_pool", 1), ("sagamore.number", number)]
        channel = grpc.aio.insecure_channel(node.address, options)
        poll = channel.unary_unary(
            "/temporal.api.workflowservice.v1.WorkflowService/PollActivityTaskQueue",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        channels.append(channel)
        polls += [asyncio.ensure_future(wait(poll, payload)) for _ in range(POLLS_OF_ONE)]
        if number % 50 == 49:
            await asyncio.sleep(0.05)
    await asyncio.sleep(5)
    assert not any(poll.done() for poll in polls), "a poll did not wait"
    after, cpu = resident_mib(pid), sum(seconds([pid]))
    await asyncio.sleep(IDLE_SECONDS)
    cpu = sum(seconds([pid])) - cpu
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    for poll in polls:
        poll.cancel()
    for channel in channels:
        await channel.close()
    await node.stop()
    return {
        "connections": CONNECTIONS, "polls": len(polls), "descriptors": descriptors, "before_mib": before,
        "with_polls_mib": after, "idle_cpu_percent": round(100 * cpu / IDLE_SECONDS, 2),
    }  # fmt: skip


async def wait(poll: Callable, payload: bytes) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        await poll(payload, timeout=70)


@contextlib.asynccontextmanager
async def flood(address: str, at_a_time: int) -> AsyncIterator[None]:
    """Starts in a namespace of its own, as many as are let through, by a program of their own."""
    program = f"""
import asyncio
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError
async def main():
    client = await Client.connect({address!r}, namespace="flood")
    async def some(number):
        for count in range(10**9):
            request = StartWorkflowExecutionRequest(namespace="flood", workflow_id=f"{{number}}-{{count}}")
            request.request_id = request.workflow_id
            request.workflow_type.name, request.task_queue.name = "T", "nobody"
            try:
                await client.workflow_service.start_workflow_execution(request, retry=False)
            except RPCError:
                # What an SDK waits at least after such a refusal is longer.
                await asyncio.sleep(0.02)
    await asyncio.gather(*(some(number) for number in range({at_a_time})))
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()


async def beside_a_flood(node: MeasuredNode, steps: int) -> dict[str, Any]:
    """Steps of a workflow beside a namespace that floods, with its limit and without."""
    namespaces = "namespaces:\n  - name: default\n  - name: flood\n"
    limits = f"limits:\n  namespaces:\n    - {{name: flood, requestsPerSecond: {FLOOD_LIMIT}}}\n"
    node.configure(more=namespaces + limits)
    await node.begin()
    client = await Client.connect(node.address)

    alone = [await milliseconds_per_step(client, "alone-1", steps)]
    async with flood(node.address, 20):
        await asyncio.sleep(2)
        beside = await milliseconds_per_step(client, "beside", steps)
    alone.append(await milliseconds_per_step(client, "alone-2", steps))
    await node.stop()
    usual = statistics.mean(alone)
    return {
        "limit_per_second": FLOOD_LIMIT, "alone_ms": round(usual, 2), "beside_ms": round(beside, 2),
        "ratio": round(beside / usual, 2),
    }  # fmt: skip


async def parked(node: MeasuredNode, count: int) -> dict[str, Any]:
    """The start of a node whose database has that many runs that wait for a day."""
    node.configure()
    await node.begin()
    client = await Client.connect(node.address)
    begun = 0

    async def some() -> None:
        nonlocal begun
        while begun < count:
            begun += 1
            request = StartWorkflowExecutionRequest(namespace="default", workflow_id=f"parked-{begun}")
            request.request_id = request.workflow_id
            request.workflow_type.name, request.task_queue.name = "T", "nobody"
            request.workflow_start_delay.FromSeconds(86_400)
            await client.workflow_service.start_workflow_execution(request)

    began = time.monotonic()
    await asyncio.gather(*(some() for _ in range(100)))
    started = time.monotonic() - began
    await asyncio.sleep(5)
    await node.stop()
    ready = [await node.begin()]
    assert node.process
    memory = resident_mib(node.process.pid)
    await node.kill()
    ready.append(await node.begin())
    await node.stop()
    return {
        "runs": count, "started_per_second": round(count / started), "ready_after_stop_s": round(ready[0], 2),
        "ready_after_kill_s": round(ready[1], 2), "memory_mib": memory,
    }  # fmt: skip


def operations(binary: Path, logs: Path, count: int, steps: int, runs: int) -> dict[str, Any]:
    async def all() -> dict[str, Any]:
        postgres = Postgres(logs)
        await postgres.start()
        node: MeasuredNode | None = None
        figures: dict[str, Any] = {}
        try:
            for name, measure in {
                "guards": lambda node: guards(node, postgres, logs, count, 4),
                "connections": waiting,
                "flood": lambda node: beside_a_flood(node, steps),
                "parked": lambda node: parked(node, runs),
            }.items():
                node = MeasuredNode(binary, logs, postgres.database(name))
                figures[name] = await measure(node)
                node.clean()
        finally:
            if node:
                node.clean()
            postgres.clean()
        return figures

    return asyncio.run(all())
