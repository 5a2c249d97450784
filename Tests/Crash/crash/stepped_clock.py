"""Nodes whose wall clocks can be stepped while they run. The clocks that never jump stay as they are."""

import mmap
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from .activity_log import Line
from .pair import Node, Pair
from .part import PartFailed
from .sagamore import REPOSITORY
from .world import World

STEP = 3660.0
"""Seconds. Kafka's topics accept records whose time is an hour ahead at most: events wait meanwhile."""
SOURCE = REPOSITORY / "Tests/Crash/clock/stepped_clock.c"


def missing() -> str | None:
    """Why no clock can be stepped; nothing when it can."""
    if sys.platform != "linux":
        return "a program's clock is stepped by a preloaded library, on Linux only"
    return None if compiler() else "there is no C compiler for the library that steps a program's clock"


def compiler() -> str | None:
    return shutil.which("cc") or shutil.which("clang")


def library(folder: Path) -> Path:
    made = folder / "stepped_clock.so"
    command = [str(compiler()), "-O1", "-shared", "-fPIC", "-o", str(made), str(SOURCE)]
    compiled = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if compiled.returncode != 0:
        raise PartFailed(f"{SOURCE.name} cannot be compiled: {compiled.stdout[:500]}")
    return made


class Clock:
    """The wall clock of one node, and how it is set."""

    def __init__(self, file: Path, preloaded: Path) -> None:
        file.write_bytes(bytes(8))
        self.variables = {"STEPPED_CLOCK": str(file), "LD_PRELOAD": str(preloaded)}
        with file.open("r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), 8)
        self.seconds = 0.0

    def step(self, seconds: float) -> None:
        """Sets it so that it is ahead by so many seconds."""
        self.seconds = seconds
        self.memory[:] = int(seconds * 1e9).to_bytes(8, sys.byteorder, signed=True)


class SteppedPair(Pair):
    """Two nodes with clocks of their own."""

    def __init__(self, logs: Path, postgres: str, kafka_address: str | None) -> None:
        super().__init__(logs, postgres, kafka_address)
        self.folder = Path(tempfile.mkdtemp(prefix="sagamore-crash-clock-"))
        preloaded = library(self.folder)
        self.clocks = {node.name: Clock(self.folder / node.name, preloaded) for node in self.nodes}
        for node in self.nodes:
            node.variables = self.clocks[node.name].variables

    def clock(self, node: Node) -> Clock:
        return self.clocks[node.name]

    def other(self, node: Node) -> Node:
        return next(each for each in self.nodes if each is not node)

    def clean(self) -> None:
        super().clean()
        shutil.rmtree(self.folder, ignore_errors=True)


class SteppedWorld(World):
    """The workers' notes have two clocks: the server's for when an attempt was given out, their own for when it ran."""

    def lines(self) -> dict[str, list[Line]]:
        def by_one_clock(line: Line) -> Line:
            return replace(line, given=line.given + STEP * round((line.time - line.given) / STEP))

        lines = super().lines()
        for run in lines:
            lines[run] = [by_one_clock(line) for line in lines[run]]
        return lines
