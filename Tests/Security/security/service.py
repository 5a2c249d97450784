"""`sagamore serve` with a configuration of its own, and calls to it without an SDK in between."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import grpc
from crash.pair import Node

PATIENCE = 30.0


class Service(Node):
    """One node. Its configuration may change while it runs."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        super().__init__(name, folder, url, None)
        self.base = self.configuration.read_text().replace("format: text", "format: json")
        self.web = f"http://127.0.0.1:{self.web_port}"

    def configure(self, authorization: str, grpc_lines: str = "", more: str = "") -> None:
        base = self.base.replace("grpc:\n", f"grpc:\n{grpc_lines}")
        self.configuration.write_text(base + more + authorization)

    def command(self) -> list[str]:
        return [*super().command()]

    async def begin(self) -> None:
        await self.start()
        await until(lambda: self.page("/readyz") == "ready\n", "the node is ready", self.last_words)

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(self.web + path, timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return ""

    def lines(self) -> list[dict]:
        found = []
        for line in self.log.read_text().splitlines():
            if line.startswith("{"):
                found.append(json.loads(line))
        return found


async def until(condition: Callable[[], bool], what: str, words: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never happened that {what}: {words()}"
        await asyncio.sleep(0.02)


class Caller:
    """Calls by their paths, with one authorization."""

    def __init__(self, address: str, authorization: str | None = None, credentials=None) -> None:
        options = [("grpc.max_receive_message_length", -1)]
        if credentials:
            self.channel = grpc.secure_channel(address, credentials, options)
        else:
            self.channel = grpc.insecure_channel(address, options)
        self.metadata = [("authorization", authorization)] if authorization is not None else []

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_) -> None:
        self.channel.close()

    def call(self, path: str, request: bytes = b"", timeout: float = 10.0) -> tuple[str, str]:
        """The status' name and its message."""
        method = self.channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
        try:
            method(request, timeout=timeout, metadata=self.metadata)
        except grpc.RpcError as error:
            return error.code().name, error.details() or ""
        return "OK", ""
