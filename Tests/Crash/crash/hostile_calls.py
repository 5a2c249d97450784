"""Rubbish at the gRPC door: each call gets a clear status, and the next booking passes."""

import asyncio
import random
import socket
import time
from collections import Counter
from pathlib import Path

import grpc

from .hostile_call_cases import ANSWERED, POLLS, Case, empty, mutated, unreadable, wrong_fields
from .outages import Outages
from .relay import OPTIONS, SERVICE
from .world import World


class Caller:
    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, OPTIONS)
        self.statuses: Counter[str] = Counter()
        self.problems: list[str] = []

    async def call(self, case: Case) -> None:
        long_poll = case.method in POLLS
        began = time.monotonic()
        try:
            seconds = 5 if long_poll else 15  # a poll that is shorter than some seconds is refused for that
            await self.channel.unary_unary(SERVICE + case.method)(case.bytes, timeout=seconds, metadata=case.metadata)
            status, details = "OK", ""
        except grpc.aio.AioRpcError as error:
            status, details = error.code().name, error.details() or ""
        self.statuses[status] += 1
        waits = long_poll and status == "DEADLINE_EXCEEDED" and case.expected >= ANSWERED
        if status not in case.expected and not waits:
            took = time.monotonic() - began
            self.problems.append(
                f"{case.name}: {status} ({details[:150]}) after {took:.1f} s, "
                f"expected {' or '.join(sorted(case.expected))}"
            )

    async def batch(self, cases: list[Case]) -> None:
        places = asyncio.Semaphore(20)

        async def one(case: Case) -> None:
            async with places:
                await self.call(case)

        await asyncio.gather(*(one(case) for case in cases))


def noise(port: int, seed: int) -> None:
    """What is no gRPC at all, and connections that say nothing."""
    chance = random.Random(f"noise {seed}")
    idle = []
    for value in (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 1000,
        chance.randbytes(5000),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + chance.randbytes(500),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff\xff\xff\x00\x00\x00\x00\x00\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(300),
        b"",
    ):
        connection = socket.create_connection(("127.0.0.1", port), 5)
        connection.sendall(value)
        idle.append(connection)
    for connection in idle:
        connection.close()


async def run(folder: Path, seed: int) -> tuple[list[str], str]:
    world = World(folder, with_kafka=False)
    try:
        await world.start()
        outages, caller = Outages(world, "hostile"), Caller(world.server.address)
        for name, cases in (
            ("empty requests", empty()),
            ("wrong fields", wrong_fields()),
            ("unreadable requests", unreadable()),
            ("mutated requests", mutated(seed)),
        ):
            await caller.batch(list(cases))
            await outages.book("grpc", f"after {name}")
            if not world.server.runs:
                outages.problems.append(f"after {name} the server has ended: {world.server.last_words()}")
                break
        else:
            await asyncio.to_thread(noise, world.server.port, seed)
            await outages.book("grpc", "after noise")
            world.server.check_runs()
        await caller.channel.close()
        await world.stop()
        counts = ", ".join(f"{count} {name}" for name, count in caller.statuses.most_common())
        problems = caller.problems + world.problems + world.door.problems
        return problems, f"{caller.statuses.total()} calls: {counts}"
    finally:
        world.clean()
