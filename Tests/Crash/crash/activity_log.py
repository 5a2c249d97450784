"""The file in which the workers note each attempt of an activity, and what must not be in it."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from .bookings import STEPS, UNDOS
from .relay import Acknowledgement

ORDER = [*STEPS, *(UNDOS[step] for step in reversed(STEPS))]
"""The order in which one saga's activities can run at all."""


START_TO_CLOSE = 5.0
"""Seconds an attempt may take; then the server gives the next one out."""


@dataclass(frozen=True)
class Line:
    run_id: str
    activity: str
    attempt: int
    phase: str
    time: float
    given: float
    """When the server gave the attempt to the worker."""

    @property
    def moment(self) -> float:
        """When the attempt counts as run. A starved worker may run one that has timed out meanwhile, and nobody can
        prevent it: then the time when it was given counts."""
        return self.given if self.time - self.given >= START_TO_CLOSE else self.time

    def __str__(self) -> str:
        late = f" (given at {self.given:.3f})" if self.moment != self.time else ""
        return f"{self.time:.3f} {self.activity} attempt {self.attempt} {self.phase}{late}"


def read(path: Path) -> dict[str, list[Line]]:
    """The lines of each run, in the order in which they were written."""
    runs: dict[str, list[Line]] = defaultdict(list)
    for text in path.read_text().splitlines() if path.exists() else []:
        line = json.loads(text)
        runs[line["run_id"]].append(
            Line(line["run_id"], line["activity"], line["attempt"], line["phase"], line["time"], line["given"])
        )
    return runs


def problems(lines: list[Line], acknowledged: list[Acknowledgement], completed: dict[str, int]) -> list[str]:
    """What is wrong with one run's lines.

    An attempt runs again only when its completion was not acknowledged. Three things show that it was:

    - its acknowledgement went by the relay;
    - the next step started: the workflow has seen the completion;
    - history has it (`completed`: the attempt of each activity that completed), for it is the last word.
    """
    found = []
    started = sorted((line for line in lines if line.phase == "started"), key=lambda line: line.moment)
    for acknowledgement in acknowledged:
        activity, attempt = acknowledgement.activity, acknowledgement.attempt
        again = [line for line in started if line.activity == activity and line.moment > acknowledgement.time]
        if again:
            found.append(
                f"{activity} ran again after its attempt {attempt} was acknowledged at {acknowledgement.time:.3f}"
            )
        if completed.get(activity) != attempt:
            found.append(
                f"{activity}: attempt {attempt} was acknowledged, history has {completed.get(activity, 'none')}"
            )
    for activity, attempt in completed.items():
        attempts = [line.attempt for line in started if line.activity == activity]
        if attempt not in attempts:
            found.append(f"{activity}: attempt {attempt} completed, but never ran")
        if max(attempts, default=0) > attempt:
            found.append(f"{activity}: ran as attempt {max(attempts)} though attempt {attempt} completed")
    for before, after in zip(started, started[1:], strict=False):
        if ORDER.index(after.activity) < ORDER.index(before.activity):
            found.append(f"{after.activity} (attempt {after.attempt}) ran after {before.activity} had started")
        if after.activity == before.activity and after.attempt <= before.attempt:
            found.append(f"{after.activity}: attempt {after.attempt} ran after attempt {before.attempt}")
    return found
