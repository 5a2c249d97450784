"""The command line: which servers, which scenarios, what is printed."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig

from .compare import differences
from .comparison_check import check
from .limits_check import LIMIT_CHECKS
from .normalise import meant
from .scenarios import ALL, SMALL_LIMITS, WITH_SMALL_LIMITS
from .servers import Server, ServerFailed, sagamore_server, temporal_server
from .stage import PATIENCE, Stage
from .workers_end_check import CHECKS as WORKER_CHECKS

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
CHECKS = WORKER_CHECKS | LIMIT_CHECKS
LONGEST = 2 * PATIENCE
"""Seconds that one scenario may take on one server."""


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def main() -> None:
    parser = argparse.ArgumentParser(prog="Tests/Interop/run", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="only the scenarios whose name contains NAME")
    parser.add_argument("--reference-only", action="store_true", help="only the Temporal server, against itself")
    parser.add_argument("--record", type=Path, metavar="DIR", help="write what the Temporal server shows, as JSON")
    parser.add_argument("--jobs", type=int, default=6, metavar="N", help="scenarios at a time (default: 6)")
    parser.add_argument("--list", action="store_true", help="name the scenarios and what they show")
    arguments = parser.parse_args()
    names = [name for name in ALL if is_wanted(arguments, name)]
    if not names and not any(is_wanted(arguments, name) for name in CHECKS):
        parser.error("no scenario has such a name")
    if arguments.list:
        for name in names:
            print(f"{name:40} {(ALL[name].__doc__ or '').strip().splitlines()[0] if ALL[name].__doc__ else ''}")
        return
    logging.disable(logging.CRITICAL)  # scenarios fail things on purpose
    asyncio.run(run_and_leave(arguments, names))


def is_wanted(arguments: argparse.Namespace, name: str) -> bool:
    return not arguments.only or any(only in name for only in arguments.only)


async def run_and_leave(arguments: argparse.Namespace, names: list[str]) -> None:
    """Runs, tells the result and ends the process: a worker that a broken server keeps from ending can't hold it up."""
    tally, status = Tally(), 0
    try:
        await run(arguments, names, tally)
    except asyncio.CancelledError:
        print("interrupted", file=sys.stderr)
        status = 130
    except Exception as error:
        report(tally, "servers-start", [], [f"  {type(error).__name__}: {error}"])
    print(tally)
    sys.stdout.flush()
    os._exit(status or (1 if tally.failed else 0))


async def run(arguments: argparse.Namespace, names: list[str], tally: Tally) -> None:
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    if not arguments.record and not arguments.reference_only:
        checks = {name: check for name, check in CHECKS.items() if is_wanted(arguments, name)}
        found = await asyncio.gather(*(check(sagamore_binary()) for check in checks.values()))
        for name, problems in zip(checks, found, strict=True):
            report(tally, name, [], problems)
    if not names:
        return
    temporal = Path(os.environ.get("SAGAMORE_TEST_TEMPORAL") or Path(sys.executable).parent / "temporal")
    async with contextlib.AsyncExitStack() as stack:
        runtime = Runtime(telemetry=TelemetryConfig(logging=None), worker_heartbeat_interval=None)

        async def pair(settings: dict[str, int] | None) -> list[tuple[Server, Client]]:
            servers = [await stack.enter_async_context(temporal_server(temporal, settings))]
            if arguments.reference_only:
                second = await stack.enter_async_context(temporal_server(temporal, settings))
                servers.append(replace(second, name="temporal again"))
            elif not arguments.record:
                servers.append(await stack.enter_async_context(sagamore_server(sagamore_binary(), settings)))
            return [(server, await Client.connect(server.address, runtime=runtime)) for server in servers]

        pairs = {
            small: await pair(SMALL_LIMITS if small else None)
            for small in sorted({name in WITH_SMALL_LIMITS for name in names})
        }
        if not arguments.only:
            report(tally, "comparison-notices-differences", [], check())
        places = asyncio.Semaphore(arguments.jobs)

        async def one(name: str) -> list[Played] | None:
            async with places:
                both = pairs[name in WITH_SMALL_LIMITS]
                played = await asyncio.gather(*(play(Stage(server, client, name)) for server, client in both))
            if arguments.record:
                write(arguments.record, played[0].stage)
            elif played[1].stage.server.name == "sagamore" and compared(*played):
                return played
            report(tally, name, played, compared(*played))
            return None

        different = [played for played in await asyncio.gather(*map(one, names)) if played]
        if not different:
            return
        # Short of processor time the Temporal server loses tasks and goes on when they time out. So what differs is
        # compared once more, with what a new one shows with the machine to itself; Sagamore is not asked again.
        fresh: dict[bool, tuple[Server, Client]] = {}
        for _, sagamore in different:
            name = sagamore.stage.name
            small = name in WITH_SMALL_LIMITS
            if small not in fresh:
                server = await stack.enter_async_context(temporal_server(temporal, SMALL_LIMITS if small else None))
                fresh[small] = (server, await Client.connect(server.address, runtime=runtime))
            server, client = fresh[small]
            temporal_again = await play(Stage(replace(server, name="temporal again"), client, name))
            report(tally, name, [temporal_again, sagamore], compared(temporal_again, sagamore))


def sagamore_binary() -> Path:
    binary = Path(os.environ.get("SAGAMORE_BINARY") or REPOSITORY / ".build/debug/sagamore")
    if not binary.exists():
        raise ServerFailed(f"there is no {binary}: build it, or name it by SAGAMORE_BINARY")
    return binary


@dataclass
class Played:
    """A scenario that was run on one server."""

    stage: Stage
    seconds: float
    problems: list[str]

    @property
    def shown(self) -> tuple[str, dict[str, Any]]:
        return self.stage.server.name, self.stage.observations


def compared(expected: Played, *others: Played) -> list[str]:
    """What went wrong, and what differs, as lines to print."""
    problems = [line for played in (expected, *others) for line in played.problems]
    for other in others:
        name, observations = expected.shown
        if other.stage.server.name == "sagamore":
            observations = meant(expected.stage.name, observations)
        problems += differences((name, observations), other.shown, complete=not problems)
    return problems


def report(tally: Tally, name: str, played: list[Played], problems: list[str]) -> None:
    """Prints the line of one scenario, and its problems below."""
    took = ", ".join(f"{each.stage.server.name} {each.seconds:.1f} s" for each in played) or "not played"
    print(f"{'failed' if problems else 'passed'}  interop  {name:40} ({took})")
    for problem in problems:
        print(problem)
    sys.stdout.flush()
    if problems:
        tally.failed += 1
    else:
        tally.passed += 1


async def play(stage: Stage) -> Played:
    """Runs the scenario on one server."""
    began = time.monotonic()
    problem = await played_out(stage)
    problems = [] if problem is None else [f"  on {stage.server.name}: {problem}", *await stage.so_far()]
    return Played(stage, time.monotonic() - began, problems)


async def played_out(stage: Stage) -> str | None:
    """What went wrong, as a text."""
    if not stage.server.runs():
        return "the server has ended"
    playing = asyncio.ensure_future(ALL[stage.name](stage))
    try:
        done, _ = await asyncio.wait([playing], timeout=LONGEST)
    except asyncio.CancelledError:
        # It ends what it has started.
        playing.cancel()
        await asyncio.wait([playing], timeout=PATIENCE)
        raise
    if not done:
        playing.cancel()
        # A worker is given time to end; one that can't is left behind.
        await asyncio.wait([playing], timeout=PATIENCE)
        return f"not done after {LONGEST:.0f} s"
    error = playing.exception()
    return None if error is None else f"{type(error).__name__}: {error}"


def write(folder: Path, stage: Stage) -> None:
    """Two files: what is compared, and the messages as the server sent them."""

    def as_json(message: Message) -> Any:
        return json_format.MessageToDict(message)

    for path, content in (
        (folder / f"{stage.name}.json", stage.observations),
        (folder / "raw" / f"{stage.name}.json", {name: as_json(message) for name, message in stage.raw.items()}),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
