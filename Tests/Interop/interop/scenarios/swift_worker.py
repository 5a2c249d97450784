"""The sample saga in Swift: our own worker on either server shows the same, and ends as the one in Python does."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from children import end_with_parent
from temporalio.client import WorkflowHandle
from temporalio.exceptions import CancelledError

from ..servers import ended
from ..stage import Stage
from . import scenario
from .main import booking
from .travel_booking import ending, expect, turns, undone

SERVER = os.environ.get("SAGAMORE_BINARY") or Path(__file__).resolve().parents[4] / ".build/debug/sagamore"
PROGRAM = Path(SERVER).with_name("TravelBooking")


@contextlib.asynccontextmanager
async def worker(stage: Stage) -> AsyncIterator[None]:
    """The program, which takes what is on the task queue `travel-booking` of the server. It ends in order."""
    async with turns[stage.server.name]:
        async with running(stage):
            yield


@contextlib.asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[None]:
    process = subprocess.Popen(
        [PROGRAM],
        env={**os.environ, "SAGAMORE_ADDRESS": stage.server.address, "SAGAMORE_NAMESPACE": stage.client.namespace},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent(),
    )
    try:
        yield
    finally:
        status = await ended(process)
    expect(status, 0)


async def book(stage: Stage, input: Any) -> WorkflowHandle[Any, Any]:
    return await stage.client.start_workflow("TravelBooking", input, id=stage.name, task_queue="travel-booking")


async def slow_booking(stage: Stage) -> WorkflowHandle[Any, Any]:
    handle = await book(stage, booking(attempts=1000))

    async def tried() -> bool:
        return any(each.attempt > 1 for each in (await stage.describe()).pending_activities)

    await stage.until(tried)
    return handle


@scenario
async def swift_worker_passes(stage: Stage) -> None:
    async with worker(stage):
        handle = await book(stage, booking())
        result = await ending(handle)
        expect(result, {"status": "passed", "car": "car-1", "hotel": "hotel-1", "flight": "flight-1"})
        expect(await handle.query("status"), ["book_car", "book_hotel", "book_flight"])
    await stage.history()


@scenario
async def swift_worker_with_an_invalid_flight(stage: Stage) -> None:
    async with worker(stage):
        error = await ending(await book(stage, booking(flight="invalid-1", attempts=2)))
        expect(error.type, "SagaCompensated")
        expect(undone(error), [f"undo_book_{each} compensated" for each in ("flight", "hotel", "car")])
        expect(str(error.cause.cause), "InvalidBooking: there is no flight 'invalid-1'")
    await stage.history()


@scenario
async def swift_worker_cancelled(stage: Stage) -> None:
    async with worker(stage):
        handle = await slow_booking(stage)
        await handle.cancel()
        error = await ending(handle)
        expect(type(error), CancelledError)
        expect(error.details[0][0]["compensation"], "undo_book_car")


@scenario
async def swift_worker_cancelled_by_signal(stage: Stage) -> None:
    async with worker(stage):
        handle = await slow_booking(stage)
        expect(await handle.query("status"), [])
        await handle.signal("cancel_booking", "too slow")
        error = await ending(handle)
        expect((error.type, error.message), ("SagaCompensated", "the booking was cancelled: too slow"))
        expect(undone(error), ["undo_book_car compensated"])


@scenario
async def swift_worker_with_a_bad_input(stage: Stage) -> None:
    async with worker(stage):
        error = await ending(await book(stage, {"user_id": "u", "car": 7}))
        expect(error.type, "InvalidInput")
    await stage.history()
