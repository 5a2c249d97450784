"""Lets a scenario hold up workflow code, or make it fail, from outside: by workflow id, unknown to the server."""

import threading
from dataclasses import dataclass, field


@dataclass
class Gate:
    """Where workflow code stops until it is opened."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def pass_through(self) -> None:
        self.entered.set()
        if not self.opened.wait(60):
            raise RuntimeError("the gate was never opened")


GATES: dict[str, Gate] = {}
FAILURES: dict[str, int] = {}
"""How often the workflow of that id still has to fail its task."""
