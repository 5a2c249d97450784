"""Children that end with this process, however it ends.

A second process, the watcher, reads a pipe that only this process writes to. When the pipe ends, it signals each child
once. The kernel's PR_SET_PDEATHSIG would send a signal for each thread of the parent, and a server that gets three
signals exits without stopping its database.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

SECONDS_TO_END = 30.0
"""After this time the watcher kills the children that still run."""

_watchers: dict[int, int] = {}


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn` for a new child, which gets the signal when this process ends.

    SIGTERM lets a server end its own children.
    """
    # The child has the pipe until it executes its program.
    pipe = _watcher()

    def register() -> None:
        os.write(pipe, b"%d %d\n" % (os.getpid(), number))

    return register


def _watcher() -> int:
    """The pipe to the watcher of this process. The first call starts the watcher."""
    if os.getpid() not in _watchers:
        reading, writing = os.pipe()  # programs inherit neither, except as standard input below
        subprocess.Popen(
            [sys.executable, "-S", __file__],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reading)
        _watchers[os.getpid()] = writing
    return _watchers[os.getpid()]


def began(process: int) -> str:
    """When a process began, as text; empty if it has ended. With it, a reused process id is recognized."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(process)]
    state, _, start = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip()


def watch() -> None:
    """The watcher. Reads lines of process id and signal until the pipe ends."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    children: dict[int, tuple[int, str]] = {}
    for line in sys.stdin:
        process, number = map(int, line.split())
        children[process] = number, began(process)

    def running() -> list[int]:
        return [process for process, (_, start) in children.items() if start and began(process) == start]

    def send(process: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)

    for process in running():
        send(process, children[process][0])
        send(process, signal.SIGCONT)  # a stopped process handles the first signal only then
    limit = time.monotonic() + SECONDS_TO_END
    while left := running():
        if time.monotonic() > limit:
            for process in left:
                send(process, signal.SIGKILL)
        time.sleep(0.1)


if __name__ == "__main__":
    watch()
