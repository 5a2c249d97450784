"""Children that end with this process, however it ends.

A second process, the watcher, reads a pipe that this process alone writes to. At its end it signals the children, once:
the kernel's own way (PR_SET_PDEATHSIG) signals again for each thread of a parent, and a server that is told three times
to end leaves its database.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

SECONDS_TO_END = 30.0
"""After this time the watcher kills what it has asked to end."""

_watchers: dict[int, int] = {}


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """What a new child has to call (`preexec_fn`): it gets the signal when this process has ended.

    SIGTERM lets a server end what it has started itself.
    """
    # The child has the pipe until it becomes another program.
    pipe = _watcher()

    def register() -> None:
        os.write(pipe, b"%d %d\n" % (os.getpid(), number))

    return register


def _watcher() -> int:
    """The pipe to the watcher of this process, which is started when it is first needed."""
    if os.getpid() not in _watchers:
        reading, writing = os.pipe()  # neither is inherited by programs, except as the standard input below
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
    """When a process began, as a text; empty when it has ended. The number of one that has ended is given again."""
    command = ["ps", "-o", "stat=,lstart=", "-p", str(process)]
    state, _, start = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip()


def watch() -> None:
    """The watcher: lines of process and signal, until the pipe ends."""
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
        send(process, signal.SIGCONT)  # one that is stopped takes the signal only then
    limit = time.monotonic() + SECONDS_TO_END
    while left := running():
        if time.monotonic() > limit:
            for process in left:
                send(process, signal.SIGKILL)
        time.sleep(0.1)


if __name__ == "__main__":
    watch()
