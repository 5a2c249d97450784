"""Two nodes on one database, one active and one waiting, behind a balancer."""

import asyncio
import signal
import time
from pathlib import Path

import grpc.aio
from ports import free_port

from .part import Part, PartFailed
from .sagamore import BINARY, LOG_LEVEL
from .wire import Wire

PATIENCE = 20.0
"""Seconds within which the other node has to take over. How long it takes is printed."""


class Node(Part):
    """`sagamore serve` with a configuration of its own. It is up when it runs; it serves when it is the active one."""

    kind = "node"

    def __init__(self, name: str, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__(name, logs)
        self.port, self.web_port = free_port(), free_port()
        self.variables: dict[str, str] = {}
        """What its environment has besides."""
        self.address = f"127.0.0.1:{self.port}"
        self.configuration = logs / f"{name}.yaml"
        lines = [f"node: {name}", "postgres:", f"  url: {postgres}", "grpc:", f"  port: {self.port}"]
        lines += ["http:", f"  port: {self.web_port}", "log:", f"  level: {LOG_LEVEL}", "  format: text"]
        if kafka_address:
            lines += ["kafka:", f"  bootstrap: {kafka_address}"]
        self.configuration.write_text("\n".join(lines) + "\n")

    def command(self) -> list[str]:
        return [str(BINARY), "serve", "--config", str(self.configuration)]

    def environment(self) -> dict[str, str]:
        return {"SWIFT_BACKTRACE": "enable=yes,color=no,registers=none,images=none", **self.variables}

    async def is_up(self) -> bool:
        return self.runs

    async def serves(self, seconds: float = 0.5) -> bool:
        """Asks as a load balancer does."""
        channel = grpc.aio.insecure_channel(self.address)
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes
        )
        try:
            return await check(b"", timeout=seconds) == b"\x08\x01"
        except grpc.aio.AioRpcError:
            return False
        finally:
            await channel.close()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)


class Balancer(Wire):
    """Sends connections to the node that serves, and cuts those to a node that does not any more."""

    def __init__(self, nodes: "list[Node]") -> None:
        super().__init__(nodes[0].address)
        self.nodes = nodes
        self.active: Node | None = None
        self.is_refusing = True
        self.watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await super().start()
        self.watch = asyncio.create_task(self.look())

    async def stop(self) -> None:
        if self.watch:
            self.watch.cancel()
        await super().stop()

    async def look(self) -> None:
        while True:
            answers = await asyncio.gather(*(node.serves() for node in self.nodes))
            self.turn_to(next((node for node, serves in zip(self.nodes, answers, strict=True) if serves), None))
            await asyncio.sleep(0.1)

    def turn_to(self, node: "Node | None") -> None:
        if node is self.active:
            return
        self.active, self.is_refusing = node, node is None
        for connection in list(self.connections):
            connection.cut()
        if node:
            self.target = ("127.0.0.1", node.port)


class Pair(Part):
    """The server of a world: two nodes behind a balancer."""

    kind = "server"

    def __init__(self, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__("server", logs)
        self.nodes = [Node(f"node-{letter}", logs, postgres, kafka_address) for letter in "ab"]
        self.balancer = Balancer(self.nodes)
        self.address = self.balancer.address

    async def start(self) -> None:
        await self.balancer.start()
        for node in self.nodes:
            await node.start()
        await self.active(self.patience)

    async def active(self, seconds: float, other_than: Node | None = None) -> Node:
        """The node that serves; waits for one."""
        deadline = time.monotonic() + seconds
        while (node := self.balancer.active) is None or node is other_than:
            if time.monotonic() > deadline:
                raise PartFailed(f"no node serves after {seconds:.0f} s: {self.nodes[0].last_words()}")
            await asyncio.sleep(0.02)
        return node

    async def stop(self, seconds: float = 20) -> None:
        await asyncio.gather(*(node.stop(seconds) for node in self.nodes))
        await self.balancer.stop()

    def clean(self) -> None:
        for node in self.nodes:
            if node.process and node.runs:
                node.signal(signal.SIGCONT)
            node.clean()
