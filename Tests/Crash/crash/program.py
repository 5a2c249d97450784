"""The command line: which tests, which seed, what is printed."""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from . import (
    bad_wire,
    clock,
    families,
    full_disk,
    hostile_calls,
    hostile_records,
    kafka,
    matrix,
    outages,
    pair_killer,
    schedules,
    small_disk,
    stepped_clock,
    upgrade,
    verdict_check,
    wires,
)
from .matrix import Settings
from .sagamore import BINARY, REPOSITORY

Test = Callable[[Path], Awaitable[tuple[list[str], str]]]
"""Gets a folder for logs; gives what is wrong, and a summary."""

WITH_TOPICS = {"away-at-the-start", "away-later", "kills", "pair", "upgrade", "clock", "disk", "bad-wire", "wires"}
"""What also uses topics, and does without them where there is no Kafka."""

NEEDS: dict[str, Callable[[], str | None]] = {
    "topic-missing": kafka.missing,
    "hostile-records": kafka.missing,
    "clock": stepped_clock.missing,
    "time-back-without-broker": lambda: stepped_clock.missing() or kafka.missing(),
    "disk": small_disk.missing,
    "upgrade": upgrade.missing,
}
"""What says why a test cannot run here."""

def main() -> None:
    parser = argparse.ArgumentParser(prog="Tests/Crash/run", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeats the choices of a run (default: a new one, which is printed)")
    parser.add_argument("--kills", type=int, default=3, metavar="N", help="kills of each kind (default: 3)")
    parser.add_argument("--rate", type=float, default=6, metavar="N", help="bookings begun a second (default: 6)")
    parser.add_argument(
        "--parents", type=int, metavar="N", help="families in all (default: 500, and 40 a kill where these are more)"
    )
    parser.add_argument(
        "--listen", type=float, default=5, metavar="S", help="seconds to read on at the end (default: 5)"
    )
    parser.add_argument(
        "--wire", type=float, metavar="S", help="seconds of bad connections (default: 10 of workers, 6 of all)"
    )
    parser.add_argument(
        "--disk", type=float, default=2, metavar="S", help="seconds that each disk of PostgreSQL is full (default: 2)"
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="only the tests whose name contains NAME")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="for logs (default: .build/test-logs/Crash)")
    parser.add_argument("--keep", action="store_true", help="keep the logs of tests that pass, too")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    settings = Settings(seed=seed, kills=arguments.kills, rate=arguments.rate, listen=arguments.listen)
    brief = replace(settings, listen=min(2, settings.listen))
    # So many that the last kill still finds some at work.
    parents = arguments.parents or max(500, 40 * arguments.kills)
    schedule_settings = schedules.ScheduleSettings(seed=seed, kills=arguments.kills)
    family_settings = families.FamilySettings(seed=seed, kills=arguments.kills, parents=parents)
    tests: dict[str, Test] = {
        "checks-notice-faults": verdict_check.run,
        "away-at-the-start": outages.at_the_start,
        "away-later": outages.later,
        "topic-missing": outages.without_topic,
        "hostile-calls": lambda folder: hostile_calls.run(folder, seed),
        "hostile-records": hostile_records.run,
        "kills": lambda folder: matrix.run(folder, settings),
        "pair": lambda folder: pair_killer.run(folder, settings),
        "upgrade": lambda folder: upgrade.run(folder, settings),
        "clock": lambda folder: clock.run(folder, brief),
        "time-back-without-broker": lambda folder: clock.run_without_broker(folder, brief),
        "disk": lambda folder: full_disk.run(folder, brief, arguments.disk),
        "bad-wire": lambda folder: bad_wire.run(folder, settings, arguments.wire or 10),
        "wires": lambda folder: wires.run(folder, brief, arguments.wire or 6),
        "families": lambda folder: families.run(folder, family_settings),
        "schedules": lambda folder: schedules.run(folder, schedule_settings),
    }
    names = [name for name in tests if any(only in name for only in arguments.only or [""])]
    if not names:
        parser.error("no test has such a name")
    logs = arguments.logs or REPOSITORY / ".build/test-logs/Crash"
    print(f"crash: seed {seed} (--seed {seed} repeats its choices), logs in {logs}/{seed}", flush=True)
    asyncio.run(run_and_leave({name: tests[name] for name in names}, logs.resolve() / str(seed), arguments.keep))


async def run_and_leave(tests: dict[str, Test], logs: Path, keep: bool) -> None:
    """Runs, tells the result, and ends the process."""
    main_task = asyncio.current_task()
    assert main_task is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, main_task.cancel)
    passed = failed = skipped = 0
    status = 0
    try:
        for name, test in tests.items():
            if reason := NEEDS.get(name, lambda: None)():
                print(f"skipped  crash  {name}: {reason}", flush=True)
                skipped += 1
            elif not await one(name, test, logs / name, keep):
                failed += 1
            else:
                passed += 1
        reason = kafka.missing()
        if reason and set(tests) & WITH_TOPICS:
            print(f"skipped  crash  topics in {', '.join(sorted(set(tests) & WITH_TOPICS))}: {reason}")
            skipped += 1
    except asyncio.CancelledError:
        print("interrupted", file=sys.stderr)
        status = 130
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    os._exit(status or (1 if failed else 0))


async def one(name: str, test: Test, folder: Path, keep: bool) -> bool:
    """Runs one test and prints what came of it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    began = time.monotonic()
    try:
        if not BINARY.exists():
            raise FileNotFoundError(f"there is no {BINARY}: build it, or name it by SAGAMORE_BINARY")
        problems, summary = await test(folder)
    except Exception as error:
        problems, summary = [f"{type(error).__name__}: {error}", traceback.format_exc(limit=-6)], ""
    took = f"{time.monotonic() - began:.0f} s"
    print(f"{'failed' if problems else 'passed'}  crash  {name} ({took}) {summary}", flush=True)
    for problem in problems:
        print(f"  {problem}")
    if problems:
        print(f"  seed {folder.parent.name}; the logs are in {folder}", flush=True)
    elif not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return not problems
