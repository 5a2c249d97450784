"""Several worker processes: Python runs the workflows of one process on one core."""

import os
import signal
import subprocess
import time

LONGEST_END = 8.0
"""Seconds that all processes together get to end. Each of them ends by itself before."""


def run_processes(count: int, command: list[str]) -> None:
    """Keeps `count` processes of `command` running until SIGTERM or SIGINT.

    A process that dies is replaced. All of them read their standard input from one pipe whose other end only this
    process holds: however this process ends, they notice and end too.
    """
    told = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, told | {signal.SIGCHLD})
    their_end, our_end = os.pipe()  # not inheritable, except as the standard input below

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=their_end,
            start_new_session=True,  # Ctrl-C reaches this process only, which then tells them
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, set()),
        )

    children = [start() for _ in range(count)]
    while signal.sigwait(told | {signal.SIGCHLD}) == signal.SIGCHLD:
        time.sleep(0.5)  # one that can't even start is not tried as fast as the machine can
        children = [child if child.poll() is None else start() for child in children]
    os.close(our_end)
    deadline = time.monotonic() + LONGEST_END
    for child in children:
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
