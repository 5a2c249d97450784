"""The server under test, and the workers of the sample saga."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ports import free_port

from .part import Part

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("SAGAMORE_BINARY") or REPOSITORY / ".build/debug/sagamore").resolve()
# The language of the workers: their histories differ, so they are all of one.
LANGUAGE = os.environ.get("SAGAMORE_CRASH_WORKER", "swift")
LOG_LEVEL = os.environ.get("SAGAMORE_CRASH_LOG_LEVEL", "info")


class Server(Part):
    """`sagamore dev` on a given PostgreSQL and, unless it is to have its own, on a given broker."""

    kind = "server"

    def __init__(self, logs: Path, postgres: str, kafka: str | None) -> None:
        super().__init__("server", logs)
        self.folder = Path(tempfile.mkdtemp(prefix="sagamore-crash-data-"))
        self.postgres, self.kafka = postgres, kafka
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        command = [str(BINARY), "dev", "--postgres", self.postgres, "--data-dir", str(self.folder)]
        command += ["--port", str(self.port), "--http-port", str(free_port()), "--log-level", LOG_LEVEL]
        return [*command, "--kafka-bootstrap", self.kafka] if self.kafka else command

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.folder), "SWIFT_BACKTRACE": "enable=yes,color=no,registers=none,images=none"}

    async def is_up(self) -> bool:
        """It is once the file that it writes when it is ready is its own."""
        assert self.process is not None
        try:
            return json.loads((self.folder / "dev.json").read_text())["pid"] == self.process.pid
        except (OSError, ValueError, KeyError):
            return False

    def clean(self) -> None:
        super().clean()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command_line(self, *arguments: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
        """Runs one of the program's other commands."""
        return subprocess.run(
            [str(BINARY), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds
        )


class Worker(Part):
    """A worker of the sample saga, in Swift or in Python, which notes what it runs in a file."""

    kind = "worker"

    def __init__(self, name: str, logs: Path, address: str, activity_log: Path) -> None:
        super().__init__(name, logs)
        self.address, self.activity_log = address, activity_log

    def command(self) -> list[str]:
        if LANGUAGE == "python":
            return [str(REPOSITORY / "sagas/travel-booking-python/run")]
        return [str(BINARY.with_name("TravelBooking"))]

    def environment(self) -> dict[str, str]:
        return {
            "TRAVEL_BOOKING_PYTHON": sys.executable,
            "TRAVEL_BOOKING_ACTIVITY_LOG": str(self.activity_log),
            "SAGAMORE_ADDRESS": self.address,
            "SAGAMORE_NAMESPACE": "default",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SWIFT_BACKTRACE": "enable=yes,color=no,registers=none,images=none",
        }

    async def is_up(self) -> bool:
        """A worker says nothing that could be waited for: that bookings go on is what counts."""
        return self.runs
