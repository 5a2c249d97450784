"""The sample saga: how each booking ends and what was undone. These also check the outcome itself."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from children import end_with_parent
from temporalio import activity
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from travel_booking import activities
from travel_booking.booking import Item
from travel_booking.workflow import TravelBooking

from ..servers import ended
from ..stage import Stage
from . import scenario
from .main import booking

SAMPLE = Path(__file__).resolve().parents[4] / "sagas/travel-booking-python"

# One worker a server on the queue `travel-booking`: two would share it, and the one that ends would hand over runs of
# the other's scenario.
turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


async def book(stage: Stage, input: Any, acts: list[Any] = activities.ALL, **options: Any) -> Any:
    """Books and returns the workflow's result, or the error with which it ended."""
    async with stage.worker([TravelBooking], acts, workflow_runner=SandboxedWorkflowRunner(), **options):
        handle = await stage.client.start_workflow("TravelBooking", input, id=stage.name, task_queue=stage.name)
        return await ending(handle)


async def ending(handle: WorkflowHandle[Any, Any]) -> Any:
    try:
        return await handle.result()
    except WorkflowFailureError as error:
        return error.cause


def undone(error: Any) -> list[str]:
    """What the failure says was undone, as `compensation status`."""
    return [f"{each['compensation']} {each['status']}" for each in error.details[0]]


def expect(found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


@scenario
async def travel_booking_passes(stage: Stage) -> None:
    """In the sandbox and without the cache, so that each task replays the history."""
    result = await book(stage, booking(), max_cached_workflows=0)
    expect(result, {"status": "passed", "car": "car-1", "hotel": "hotel-1", "flight": "flight-1"})
    await stage.history()


@scenario
async def travel_booking_needs_three_attempts(stage: Stage) -> None:
    result = await book(stage, booking(attempts=3))
    expect(result["status"], "passed")
    started = [
        each for each in (await stage.events()).events if each.HasField("activity_task_started_event_attributes")
    ]
    expect([each.activity_task_started_event_attributes.attempt for each in started], [3, 3, 3])


@scenario
async def travel_booking_with_an_invalid_flight(stage: Stage) -> None:
    """Compensated: what was tried is undone, in reverse."""
    error = await book(stage, booking(flight="invalid-1"))
    expect((type(error), error.type), (ApplicationError, "SagaCompensated"))
    steps = ("flight", "hotel", "car")
    expected = [
        {"step": f"book_{each}", "compensation": f"undo_book_{each}", "status": "compensated"} for each in steps
    ]
    expect(error.details[0], expected)
    expect(str(error.cause.cause), "InvalidBooking: there is no flight 'invalid-1'")
    await stage.history()


@scenario
async def travel_booking_with_an_invalid_car(stage: Stage) -> None:
    """Only what was tried is undone."""
    error = await book(stage, booking(car="invalid-1"))
    expect((error.type, undone(error)), ("SagaCompensated", ["undo_book_car compensated"]))


@activity.defn(name="undo_book_hotel")
async def no_undo(item: Item) -> None:
    raise ApplicationError("the hotel keeps its money", type="NoRefund", non_retryable=True)


@scenario
async def travel_booking_with_a_failing_undo(stage: Stage) -> None:
    """The other undos run all the same; the failure tells which did not."""
    others = [each for each in activities.ALL if each is not activities.undo_book_hotel]
    error = await book(stage, booking(flight="invalid-1"), [*others, no_undo])
    expect(error.type, "SagaCompensationFailed")
    expect(
        undone(error), ["undo_book_flight compensated", "undo_book_hotel failed", "undo_book_car compensated"]
    )  # fmt: skip
    expect(error.details[0][1]["failure"], {"type": "NoRefund", "message": "the hotel keeps its money"})
    await stage.history()


async def slow_booking(stage: Stage) -> WorkflowHandle[Any, Any]:
    """A booking whose car is never ready: its first attempt has failed."""
    handle = await stage.client.start_workflow(
        "TravelBooking", booking(attempts=1000), id=stage.name, task_queue=stage.name
    )

    async def tried() -> bool:
        return any(each.attempt > 1 for each in (await stage.describe()).pending_activities)

    await stage.until(tried)
    return handle


@scenario
async def travel_booking_cancelled(stage: Stage) -> None:
    """A cancel request: rolled back, then cancelled."""
    async with stage.worker([TravelBooking], activities.ALL, workflow_runner=SandboxedWorkflowRunner()):
        handle = await slow_booking(stage)
        await handle.cancel()
        error = await ending(handle)
        expect(type(error), CancelledError)
        expect(await handle.query("status"), ["undo_book_car"])


@scenario
async def travel_booking_cancelled_by_signal(stage: Stage) -> None:
    """The signal `cancel_booking`: rolled back, then compensated. A later cancel request changes nothing."""
    async with stage.worker([TravelBooking], activities.ALL, workflow_runner=SandboxedWorkflowRunner()):
        handle = await slow_booking(stage)
        expect(await handle.query("status"), [])
        await handle.signal("cancel_booking", "too slow")
        error = await ending(handle)
        expect((error.type, error.message), ("SagaCompensated", "the booking was cancelled: too slow"))
        expect(undone(error), ["undo_book_car compensated"])


@scenario
async def travel_booking_cancelled_in_its_rollback(stage: Stage) -> None:
    """A cancel request while undos run interrupts none of them."""
    entered, let_go = asyncio.Event(), asyncio.Event()

    @activity.defn(name="undo_book_flight")
    async def held(item: Item) -> None:
        entered.set()
        await let_go.wait()

    others = [each for each in activities.ALL if each is not activities.undo_book_flight]
    async with stage.worker([TravelBooking], [*others, held], workflow_runner=SandboxedWorkflowRunner()):
        input = booking(flight="invalid-1")
        handle = await stage.client.start_workflow("TravelBooking", input, id=stage.name, task_queue=stage.name)
        await entered.wait()
        await handle.cancel()
        await stage.until_history(lambda types: types[-1] == "WORKFLOW_TASK_COMPLETED")
        let_go.set()
        error = await ending(handle)
        expect((error.type, len(error.details[0])), ("SagaCompensated", 3))
    await stage.history()


@scenario
async def travel_booking_with_a_bad_input(stage: Stage) -> None:
    """An input that is no booking fails the workflow, and books nothing."""
    error = await book(stage, {"user_id": "u", "car": 7})
    expect((error.type, error.message), ("InvalidInput", "'car' must be a text"))


@scenario
async def travel_booking_worker(stage: Stage) -> None:
    """The worker as a program, in two processes: it writes the log of its activities and ends on SIGTERM."""
    async with turns[stage.server.name]:
        await book_with_a_program(stage)


async def book_with_a_program(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="interop-worker-") as folder:
        log = Path(folder) / "activities"
        environment = {
            **os.environ,
            "SAGAMORE_ADDRESS": stage.server.address,
            "TRAVEL_BOOKING_PYTHON": sys.executable,
            "TRAVEL_BOOKING_ACTIVITY_LOG": str(log),
        }
        worker = subprocess.Popen(
            [SAMPLE / "run", "--processes", "2"], env=environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=end_with_parent(),
        )  # fmt: skip
        try:
            client = stage.client
            handle = await client.start_workflow("TravelBooking", booking(), id=stage.name, task_queue="travel-booking")
            expect((await ending(handle))["status"], "passed")
        finally:
            status = await ended(worker)
        expect(status, 0)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        expect(
            [(line["activity"], line["attempt"], line["phase"]) for line in lines],
            [(f"book_{each}", 1, phase) for each in ("car", "hotel", "flight") for phase in ("started", "returned")],
        )
        expect({line["workflow_id"] for line in lines}, {stage.name})
