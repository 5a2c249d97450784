"""Starts the programs of the demo and ends them all."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path


# Ends last: the others are its clients, and a worker without a server stops slowly.
LAST = "sagamore dev"


class Failed(Exception):
    """A reason to stop, for the user."""


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def is_busy(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def build(root: Path, *products: str) -> str:
    """Builds programs and returns the path of the first. All are in one folder."""
    configuration = os.environ.get("SAGAMORE_DEMO_CONFIGURATION", "debug")
    say(f"building {' and '.join(products)} ({configuration}; the first time takes some minutes)")
    start = time.monotonic()
    for product in products:
        command = ["swift", "build", "--configuration", configuration, "--product", product]
        if subprocess.run(command, cwd=root, stdin=subprocess.DEVNULL).returncode != 0:
            raise Failed("the build failed")
    say(f"built in {time.monotonic() - start:.0f} s")
    return str(root / ".build" / configuration / products[0])


def end_with_parent() -> None:
    """The kernel ends a child whose parent was killed."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        pass  # not Linux


class Processes:
    """Children with their own logs and sessions. Ctrl-C reaches only this program, which ends them in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen] = {}
        shutil.rmtree(folder / "logs", ignore_errors=True)
        (folder / "logs").mkdir(parents=True)

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        # A second signal must not leave children behind.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for name in sorted(self.running, key=lambda name: name == LAST):
            self._end(self.running[name])

    def start(self, name: str, command: list, environment: dict | None = None, pipe: bool = False) -> subprocess.Popen:
        with open(self._log_path(name), "wb") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe else log,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        self.running[name] = child
        return child

    def log(self, name: str) -> str:
        return self._log_path(name).read_text(errors="replace")

    def check(self) -> None:
        """Raises `Failed` if a child has ended."""
        for name, child in self.running.items():
            if child.poll() is not None:
                last = "\n".join("    " + line for line in self.log(name).splitlines()[-15:])
                raise Failed(f"{name} has ended with status {child.returncode}:\n{last}")

    def wait_for(self, name: str, condition, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > end:
                raise Failed(f"{name} was not ready after {seconds:.0f} s; its log: {self._log_path(name)}")
            time.sleep(0.05)

    def _log_path(self, name: str) -> Path:
        return self.folder / "logs" / (name.replace(" ", "-") + ".log")

    @staticmethod
    def _end(child: subprocess.Popen) -> None:
        for number, patience in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
            # The whole group, since the child has children.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)
