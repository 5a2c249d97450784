"""Children that end with this process, however it ends."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG

# Loaded here: between fork and exec a child should do as little as possible.
LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """What a new child has to call (`preexec_fn`): the kernel then signals it when the thread that started it ends.

    SIGTERM lets a server end what it has started itself. Only Linux can do this; elsewhere it does nothing.
    """
    parent = os.getpid()

    def prepare() -> None:
        if LIBRARY is None:
            return
        LIBRARY.prctl(SET_PARENT_DEATH_SIGNAL, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it was killed before the kernel knew
            os._exit(1)

    return prepare
