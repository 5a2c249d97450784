"""Runs suites in parallel and shows their output one after the other."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from outcome import Outcome

SECONDS_BETWEEN_SIGNS_OF_LIFE = 30

Say = Callable[[str], None]


@dataclass
class Suite:
    """A suite of tests and how to run it.

    `run` gets a function that shows a line. While it waits it yields its activity (or ""), and it returns its Outcome.
    Closing the generator ends everything that it has started.
    """

    name: str
    run: Callable[[Say], Generator[str, None, Outcome]]
    places: float = 1
    """How many places it takes: less than one if it mostly waits, more if others would disturb it."""


@dataclass
class Running:
    """A running suite. Its lines are kept until it has the floor."""

    suite: Suite
    say: Say
    began: float = field(default_factory=time.monotonic)
    activity: str = ""
    outcome: "Outcome | None" = None
    lines: list = field(default_factory=list)
    has_floor: bool = False

    def __post_init__(self):
        self.steps = self.suite.run(self.take)

    def take(self, line: str) -> None:
        if self.has_floor:
            self.say(line)
        else:
            self.lines.append(line)

    def take_floor(self) -> None:
        """Shows the kept lines, and from then on each line as it arrives."""
        if not self.has_floor:
            self.has_floor = True
            self.say(f"test: {self.suite.name}")
            for line in self.lines:
                self.say(line)

    def step(self) -> None:
        try:
            self.activity = next(self.steps)
        except StopIteration as end:
            self.outcome = end.value

    def tell(self) -> None:
        self.take_floor()
        self.say(f"  {self.suite.name}: {self.outcome} ({time.monotonic() - self.began:.1f} s)")

    def abandon(self) -> None:
        """Ends what the suite has started, and shows its output so far."""
        self.steps.close()
        self.take_floor()
        self.say(f"  {self.suite.name}: ended early")


class Schedule:
    """Starts suites in order, as many at once as have room in `most` places, and at least one.

    The lines of a suite stay together: they are shown at its end, or as they arrive if no other suite runs.
    """

    def __init__(self, suites: list, most: int, say: Say, pause: float = 0.1):
        self.is_ended = False
        self.waiting = list(suites)
        self.most = most
        self.told = time.monotonic()
        self.running: list = []
        self.total = Outcome()
        self.pause = pause
        self.print = say

    def say(self, line: str) -> None:
        self.told = time.monotonic()
        self.print(line)

    def end(self) -> None:
        """Ends the schedule soon. For signal handlers: an exception during a start would leak the started process."""
        self.is_ended = True

    def run(self) -> Outcome:
        try:
            while not self.is_ended and (self.waiting or self.running):
                self.start()
                for each in list(self.running):
                    each.step()
                    if each.outcome is not None:
                        self.running.remove(each)
                        each.tell()
                        self.total += each.outcome
                if self.running:
                    self.give_sign_of_life()
                    time.sleep(self.pause)
        finally:
            # Suites are left only if the schedule was ended early.
            for each in self.running:
                each.abandon()
        return self.total

    def start(self) -> None:
        count = len(self.running)
        while suite := next(filter(self.may_start, self.waiting), None):
            self.waiting.remove(suite)
            self.running.append(Running(suite, self.say))
        if len(self.running) == 1 and not any(self.may_start(suite) for suite in self.waiting):
            self.running[0].take_floor()
        elif len(self.running) > count:
            self.say(f"test: running {', '.join(each.suite.name for each in self.running)}")

    def may_start(self, suite: Suite) -> bool:
        if not self.running:
            return True
        return sum(each.suite.places for each in self.running) + suite.places <= self.most

    def give_sign_of_life(self) -> None:
        if time.monotonic() - self.told < SECONDS_BETWEEN_SIGNS_OF_LIFE:
            return
        if self.running[0].has_floor:
            if activity := self.running[0].activity:
                self.say(f"  still running: {activity}")
            return
        for each in self.running:
            doing = f": {each.activity}" if each.activity else ""
            self.say(f"test: still running {each.suite.name} ({time.monotonic() - each.began:.0f} s){doing}")
