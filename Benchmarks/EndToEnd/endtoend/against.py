"""Measures this version and an earlier one in turns, and prints their ratio: the way to judge a change.

Machines differ by a factor of three, and one machine from hour to hour. So both versions are measured on one machine
within one hour, each as often first as second: whichever is second takes some 5 % more CPU on some machines.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from children import end_with_parent

from .parts import REPOSITORY

SIDES = ["before", "after"]
ABOUT = {"machine", "program", "postgres", "kafka", "load_at_end", "left_out", "problems", "goals"}
"""What an answer says beside its figures."""


NOT_REQUESTED = "not requested"
"""Why a part is left out that nobody asked for."""


class Failed(Exception):
    """The versions could not be compared."""


def git(*arguments: str, folder: Path = REPOSITORY) -> str:
    ran = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    if ran.returncode != 0:
        raise Failed(f"git {' '.join(arguments)}: {ran.stderr.strip()}")
    return ran.stdout.strip()


def checked_out(commit: str) -> Path:
    """A folder with the sources of a commit. It stays, and with it what is built there."""
    name = git("rev-parse", "--verify", f"{commit}^{{commit}}")
    folder = REPOSITORY / ".build" / "against" / name[:12]
    if not folder.exists():
        git("worktree", "prune")
        git("worktree", "add", "--detach", str(folder), name)
    return folder


def build(folder: Path, products: list[str], say: Callable[[str], None]) -> dict[str, Path]:
    """Release builds of the products that this version has."""
    package = (folder / "Package.swift").read_text()
    built = {}
    for product in products:
        if f'"{product}"' not in package:
            continue
        say(f"swift build --configuration release --product {product} in {folder}")
        command = ["swift", "build", "--configuration", "release", "--product", product]
        if subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
            raise Failed(f"{product} cannot be built in {folder}")
        built[product] = folder / ".build" / "release" / product
    return built


OPTIONS = {
    "sagamore": "--program",
    "TravelBooking": "--travel-booking",
    "SagamoreCrashFamilies": "--families",
    "SagamoreBenchmarks": "--benchmarks",
}
"""Which option names a program."""


def measured(programs: dict[str, Path], sizes: list[str]) -> dict[str, Any]:
    """One run of this program with the programs of one version."""
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        command = [sys.executable, "-m", "endtoend", *sizes, "--output", output.name]
        command += [part for product, path in programs.items() for part in (OPTIONS[product], str(path))]
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=end_with_parent(),
        )  # fmt: skip
        if ran.returncode != 0:
            raise Failed(f"a measurement has failed:\n{ran.stderr}")
        answer = dict(json.loads(Path(output.name).read_text()))
    for part, reason in answer["left_out"].items():
        if reason != NOT_REQUESTED:
            raise Failed(f"{part} cannot be measured: {reason}")
    return answer


def figures(answer: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    """Each number of an answer, by its place."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if path or name not in ABOUT:
                yield from figures(value, (*path, name))
    elif isinstance(answer, (int, float)) and not isinstance(answer, bool):
        yield ".".join(path), float(answer)


def compared(pairs: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """The figures of all pairs: medians, and the median and range of their ratios."""
    rows = [{side: dict(figures(pair[side])) for side in SIDES} for pair in pairs]
    found = {}
    for name in rows[0]["before"]:
        values = [(row["before"].get(name), row["after"].get(name)) for row in rows]
        if not all(before and after is not None for before, after in values):
            continue
        ratios = [after / before for before, after in values]
        found[name] = {
            "before": round(statistics.median(before for before, _ in values), 3),
            "after": round(statistics.median(after for _, after in values), 3),
            "ratio": round(statistics.median(ratios), 3),
            "least": round(min(ratios), 3),
            "most": round(max(ratios), 3),
        }
    return found


def table(found: dict[str, dict[str, float]]) -> list[str]:
    width = max((len(name) for name in found), default=0)
    lines = [f"{'':{width}} {'before':>12} {'after':>12} {'ratio':>7}  range"]
    for name, row in found.items():
        spread = f"{row['least']:.3f} to {row['most']:.3f}"
        lines.append(f"{name:{width}} {row['before']:12g} {row['after']:12g} {row['ratio']:7.3f}  {spread}")
    return lines


def sizes_of(arguments: list[str]) -> list[str]:
    """The command line without what only the comparison means."""
    parser = argparse.ArgumentParser(add_help=False)
    for name in ("--against", "--pairs", "--output", *OPTIONS.values()):
        parser.add_argument(name)
    return parser.parse_known_args(arguments)[1]


def run(commit: str, count: int, products: list[str], say: Callable[[str], None]) -> dict[str, Any]:
    """Builds both versions, measures them `count` times each, and returns what to print."""
    sizes = sizes_of(sys.argv[1:])
    folders = {"before": checked_out(commit), "after": REPOSITORY}
    programs = {side: build(folder, products, say) for side, folder in folders.items()}
    pairs = []
    for number in range(count):
        pair = {}
        for side in SIDES if number % 2 == 0 else reversed(SIDES):
            say(f"pair {number + 1} of {count}: {side}")
            pair[side] = measured(programs[side], sizes)
        pairs.append(pair)
    found = compared(pairs)
    for line in table(found):
        say(line)
    return {
        "before": git("rev-parse", "--short", "HEAD", folder=folders["before"]),
        "after": git("describe", "--always", "--dirty"),
        "pairs": count,
        "machine": pairs[0]["before"]["machine"],
        "figures": found,
    }
