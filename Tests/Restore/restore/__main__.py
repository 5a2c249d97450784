"""Runs the checks, one after the other."""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from crash import kafka

from .site import Site
from .story import CHECKS, Story


@contextlib.asynccontextmanager
async def running_site(shards: int) -> AsyncIterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="sagamore-restore-"))
    broker = kafka.Kafka(folder)
    site = Site(folder, broker, shards)
    try:
        await asyncio.gather(broker.start(), site.database.start())
        await site.start()
        yield site
    finally:
        site.clean()
        broker.clean()
        shutil.rmtree(folder, ignore_errors=True)


async def passes(name: str, check: Callable[[], Awaitable[None]]) -> bool:
    """Runs a check and prints what came of it."""
    began = time.monotonic()
    try:
        await check()
    except Exception as error:
        print(f"failed: {name}: {error}", flush=True)
        if not isinstance(error, AssertionError):
            traceback.print_exc(file=sys.stdout)
        return False
    print(f"passed: {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


async def tell_the_story() -> int:
    """How many checks passed."""
    async with running_site(shards=6) as site:
        story = Story(site)
        for number, check in enumerate(CHECKS):
            if not await passes(check.__name__, lambda check=check: check(story)):
                for later in CHECKS[number + 1 :]:
                    print(f"failed: {later.__name__}: it begins where the one before it ends")
                return number
    return len(CHECKS)


async def main() -> int:
    main_task = asyncio.current_task()
    assert main_task is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, main_task.cancel)
    argparse.ArgumentParser(prog="Tests/Restore/run").parse_args()
    names = [check.__name__ for check in CHECKS]
    if reason := kafka.missing():
        print(f"skipped: {', '.join(names)}: {reason}")
        print(f"0 passed, 0 failed, {len(names)} skipped")
        return 0
    try:
        passed = await tell_the_story()
    except Exception as error:
        print(f"failed: what the checks run on did not start: {error}")
        traceback.print_exc(file=sys.stdout)
        passed = 0
    print(f"{passed} passed, {len(names) - passed} failed, 0 skipped")
    return 0 if passed == len(names) else 1


try:
    status = asyncio.run(main())
except asyncio.CancelledError:
    status = 130
sys.exit(status)
