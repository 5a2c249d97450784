"""The command line: what is measured, how much of it, and what is skipped."""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crash import kafka
from crash.part import PartFailed

from . import against, measurements, yardsticks
from .database import Refused
from .measurements import Plan
from .parts import REPOSITORY

PARTS: dict[str, Callable[[Plan], Any]] = {
    "yardsticks": measurements.pieces,
    "engine": measurements.engine,
    "sagas": measurements.sagas,
    "temporal": measurements.temporal,
    "memory": measurements.memory,
    "children": measurements.children,
    "transitions": measurements.transitions,
    "neighbors": measurements.neighbors,
    "operations": measurements.operations,
    "lists": measurements.lists,
    "schedules": measurements.schedules,
    "attributes": measurements.attributes,
    "commands": measurements.commands,
    "starts": measurements.starts,
    "swift-worker": measurements.swift_worker,
    "python-worker": measurements.python_worker,
}
"""The parts in the order in which they run."""

PRODUCTS = {"engine": "SagamoreBenchmarks", "swift-worker": "TravelBooking", "children": "SagamoreCrashFamilies"}
"""What a part measures beside the server."""


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def main() -> None:
    arguments = parse()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, unwind)
    if arguments.against:
        return compare(arguments)
    # Not in /tmp, which may be in memory: commits must reach a disk.
    parent = REPOSITORY / ".build" / "bench"
    parent.mkdir(parents=True, exist_ok=True)
    parent.chmod(0o755)
    logs = Path(tempfile.mkdtemp(prefix=time.strftime("%H%M%S-"), dir=parent))
    logs.chmod(0o755)
    plan = make_plan(arguments, logs)
    answer: dict[str, Any] = {"machine": machine(), "program": build(arguments, plan)}
    left_out: dict[str, str] = {}
    status = 0
    try:
        for name, measure in PARTS.items():
            reason = why_not(name, plan) if name in arguments.part else against.NOT_REQUESTED
            if reason:
                left_out[name] = reason
                continue
            say(f"{name} …")
            answer[name] = measure(plan)
    except (Refused, PartFailed) as error:
        plan.problems.append(str(error))
    except SystemExit:
        shutil.rmtree(logs, ignore_errors=True)
        raise
    answer |= plan.about | goals(answer)
    answer["load_at_end"] = os.getloadavg()[0]
    answer["left_out"] = left_out
    answer["problems"] = plan.problems
    tell(answer, arguments)
    for name, reason in left_out.items():
        say(f"left out: {name}: {reason}")
    for problem in plan.problems:
        say(f"PROBLEM: {problem}")
        status = 1
    if status:
        say(f"the logs are in {logs}")
    else:
        shutil.rmtree(logs, ignore_errors=True)
    sys.exit(status)


def tell(answer: dict[str, Any], arguments: argparse.Namespace) -> None:
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    print(text, flush=True)
    if arguments.output:
        arguments.output.write_text(text + "\n")


def compare(arguments: argparse.Namespace) -> None:
    """Measures an earlier version and this one in turns."""
    products = ["sagamore", *(PRODUCTS[part] for part in arguments.part if part in PRODUCTS)]
    try:
        tell(against.run(arguments.against, arguments.pairs, products, say), arguments)
    except against.Failed as error:
        say(str(error))
        sys.exit(1)


def goals(answer: dict[str, Any]) -> dict[str, Any]:
    """What is asked for, as ratios to what the Temporal server takes on this machine for the same sagas."""
    ours, theirs = answer.get("sagas"), answer.get("temporal")
    if not ours or not theirs:
        return {}
    cpu = theirs["twenty_at_a_time"]["server_cpu_ms_per_saga"]
    return {
        "goals": {
            "temporal_cpu_over_ours": round(cpu / ours["twenty_at_a_time"]["server_and_postgres_cpu_ms_per_saga"], 1),
            "temporal_p50_alone_over_ours": round(
                theirs["one_at_a_time"]["p50_ms"] / ours["one_at_a_time"]["p50_ms"], 1
            ),
        }
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures a release build; prints JSON.")
    parser.add_argument("part", nargs="*", metavar="PART", help=f"only these parts: {', '.join(PARTS)}")
    parser.add_argument("--sagas", type=int, default=5_000, metavar="N", help="sagas, 20 at a time (5000)")
    parser.add_argument("--alone", type=int, default=1_000, metavar="N", help="sagas, one at a time (1000)")
    parser.add_argument("--memory", type=int, default=10_000, metavar="N", help="sagas for the memory, twice (10000)")
    parser.add_argument("--children", type=int, default=1_000, metavar="N", help="children of one parent (1000)")
    parser.add_argument("--steps", type=int, default=1_000, metavar="N", help="steps of each kind of run (1000)")
    parser.add_argument("--burst", type=int, default=20_000, metavar="N", help="commands in a burst, no worker (20000)")
    parser.add_argument("--starts-burst", type=int, default=100_000, metavar="N", help="… during starts (100000)")
    parser.add_argument("--bookings", type=int, default=10_000, metavar="N", help="… with the Swift worker (10000)")
    parser.add_argument("--python-bookings", type=int, default=2_000, metavar="N", help="… with Python's (2000)")
    parser.add_argument("--rate", type=float, default=50, metavar="N", help="commands a second, for latencies (50)")
    parser.add_argument("--seconds", type=float, default=30, metavar="S", help="how long at that rate (30)")
    parser.add_argument("--scale", type=float, default=1, metavar="F", help="multiply every count (0.01: a quick run)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes of the Python worker (2)")
    parser.add_argument("--program", type=Path, metavar="FILE", help="an existing build of sagamore")
    parser.add_argument("--travel-booking", type=Path, metavar="FILE", help="an existing build of TravelBooking")
    parser.add_argument("--families", type=Path, metavar="FILE", help="an existing build of SagamoreCrashFamilies")
    parser.add_argument("--benchmarks", type=Path, metavar="FILE", help="an existing build of SagamoreBenchmarks")
    parser.add_argument("--against", metavar="COMMIT", help="measure that version and this one in turns")
    parser.add_argument("--pairs", type=int, default=6, metavar="N", help="how often, with --against (6)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the JSON to this file")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.part if part not in PARTS]
    if unknown:
        parser.error(f"unknown part: {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    arguments.part = arguments.part or list(PARTS)
    return arguments


def make_plan(arguments: argparse.Namespace, logs: Path) -> Plan:
    def scaled(count: int) -> int:
        return max(20, round(count * arguments.scale))

    release = REPOSITORY / ".build" / "release"
    return Plan(
        binary=(arguments.program or release / "sagamore").resolve(),
        benchmarks=(arguments.benchmarks or release / "SagamoreBenchmarks").resolve(),
        families=(arguments.families or release / "SagamoreCrashFamilies").resolve(),
        travel_booking=(arguments.travel_booking or release / "TravelBooking").resolve(),
        sagaload=os.environ.get("SAGAMORE_BENCH_SAGALOAD", ""),
        logs=logs,
        sagas=scaled(arguments.sagas),
        sagas_alone=scaled(arguments.alone),
        sagas_for_memory=scaled(arguments.memory),
        children=scaled(arguments.children),
        steps=scaled(arguments.steps),
        burst=scaled(arguments.burst),
        starts_burst=scaled(arguments.starts_burst),
        bookings=scaled(arguments.bookings),
        python_bookings=scaled(arguments.python_bookings),
        rate=arguments.rate,
        rated_seconds=max(1.0, arguments.seconds * arguments.scale),
        python_processes=arguments.workers,
        guarded_sagas=scaled(300),
        parked=scaled(200_000),
        listed=scaled(1_000_000),
    )


def why_not(name: str, plan: Plan) -> str | None:
    """Why a part is skipped; None when it can be measured."""
    if name == "temporal" and not os.access(yardsticks.temporal(), os.X_OK):
        return f"{yardsticks.temporal()} is no program: SAGAMORE_TEST_TEMPORAL names one"
    if name in ("sagas", "memory", "temporal"):
        if not plan.sagaload:
            return "SAGAMORE_BENCH_SAGALOAD names no driver"
        if not os.access(plan.sagaload, os.X_OK):
            return f"SAGAMORE_BENCH_SAGALOAD={plan.sagaload} is not executable"
    if name in ("commands", "starts", "swift-worker", "python-worker"):
        return (kafka.missing() or "").split(":")[0] or None
    if name == "engine" and not plan.benchmarks.exists():
        return f"{plan.benchmarks} does not exist"
    return None


def build(arguments: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Builds the programs that were not given, in release. Returns what is measured."""
    given = {
        "engine": arguments.benchmarks,
        "swift-worker": arguments.travel_booking,
        "children": arguments.families,
    }
    products = [] if arguments.program else ["sagamore"]
    products += [product for part, product in PRODUCTS.items() if part in arguments.part and not given[part]]
    for product in products:
        say(f"swift build --configuration release --product {product}")
        command = ["swift", "build", "--configuration", "release", "--product", product]
        if subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
            say("the build failed")
            sys.exit(1)
    version = subprocess.run([str(plan.binary), "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    answer = {"version": version, "built": "given by --program" if arguments.program else "release"}
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return answer | ({"commit": commit.stdout.strip()} if commit.returncode == 0 else {})


def machine() -> dict[str, Any]:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor[1] if processor else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else None,
        "system": f"{platform.system()} {platform.release()}",
        # Other load distorts every figure; 0 is an idle machine.
        "load_at_begin": os.getloadavg()[0],
    }


def unwind(number: int, _: object) -> None:
    """Exits so that everything this program started ends, too. A second signal does not interrupt that."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: None)
    sys.exit(128 + number)
