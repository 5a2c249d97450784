"""Ports for the programs of a test."""

import contextlib
import random
import socket

_taken: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody uses, and that nobody else gets from here while this process lives.

    It is below those that the kernel hands out to whoever asks for any. A name in the kernel stands for it until the
    process ends, since what will listen to it starts later: a test that asks for thirty ports would otherwise get one
    of them twice every fiftieth time.
    """
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            name = socket.socket(socket.AF_UNIX)
            try:
                name.bind(f"\0sagamore-test-port-{port}")
            except OSError:
                name.close()
                continue
            _taken.append(name)
            return port
