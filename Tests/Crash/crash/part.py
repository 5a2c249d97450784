"""A program that is part of the system under test: started, killed at any moment, started again."""

import asyncio
import os
import signal
import socket
import subprocess
from pathlib import Path

from children import end_with_parent


class PartFailed(Exception):
    """A part of the system could not be started, or ended by itself."""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Part:
    """One program in a process group of its own: Ctrl-C reaches only the tests, which then end it in order.

    A subclass says what is run (`command`, `environment`) and when it is up (`is_up`).
    """

    kind = ""
    patience = 60.0
    """Seconds until it has to be up."""
    signal_of_death = signal.SIGTERM
    """What it gets when the tests were killed."""

    def __init__(self, name: str, logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    async def is_up(self) -> bool:
        raise NotImplementedError

    def launch(self) -> None:
        """Starts the program and doesn't wait for it."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                env={**os.environ, **self.environment()},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                preexec_fn=end_with_parent(self.signal_of_death),
            )

    async def start(self) -> None:
        """Starts the program and waits until it is up."""
        self.launch()
        await self.until_up()

    async def until_up(self) -> None:
        deadline = asyncio.get_running_loop().time() + self.patience
        while not await self.is_up():
            self.check_runs()
            if asyncio.get_running_loop().time() > deadline:
                raise PartFailed(f"{self.name} is not up after {self.patience:.0f} s; see {self.log}")
            await asyncio.sleep(0.05)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def check_runs(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            raise PartFailed(f"{self.name} ended with status {self.process.returncode}: {self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-8:]) or "it said nothing"

    async def kill(self) -> None:
        """`kill -9`, and waits for the end."""
        if self.process is not None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)

    async def stop(self, seconds: float = 20) -> None:
        """Asks it to end, and kills what doesn't."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, seconds)
        except subprocess.TimeoutExpired:
            await self.kill()

    def clean(self) -> None:
        """Kills what is left, and removes the data; the log stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
