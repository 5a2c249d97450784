"""The outcome of a test suite."""

import re
from dataclasses import dataclass, field

COUNT = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")


@dataclass
class Outcome:
    """Counts, with a line for each failure and each skip."""

    passed: int = 0
    failures: list = field(default_factory=list)
    skips: list = field(default_factory=list)

    def __iadd__(self, other: "Outcome") -> "Outcome":
        self.passed += other.passed
        self.failures += other.failures
        self.skips += other.skips
        return self

    @property
    def ran(self) -> int:
        return self.passed + len(self.failures)

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failures)} failed, {len(self.skips)} skipped"
