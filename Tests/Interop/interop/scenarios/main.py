"""The main scenarios: what a saga is made of."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from travel_booking import activities as booking_activities
from travel_booking.workflow import TravelBooking

from ..gates import FAILURES, GATES, Gate
from ..stage import Stage
from . import scenario


def booking(**fields: Any) -> dict[str, Any]:
    return {"user_id": "u-1", "car": "car-1", "hotel": "hotel-1", "flight": "flight-1", **fields}


async def saga(stage: Stage, input: dict[str, Any]) -> None:
    async with stage.worker([TravelBooking], booking_activities.ALL):
        handle = await stage.client.start_workflow("TravelBooking", input, id=stage.name, task_queue=stage.name)
        await stage.outcome(handle)
    await stage.history()


@scenario
async def happy_saga(stage: Stage) -> None:
    """Three activities, 23 events."""
    await saga(stage, booking())
    if len(stage.observations["history"]) != 23:
        raise AssertionError(f"the happy saga has {len(stage.observations['history'])} events")


@scenario
async def retried_activity(stage: Stage) -> None:
    """Each activity succeeds at its third attempt: no events for the first two."""
    await saga(stage, booking(attempts=3))


@scenario
async def compensation(stage: Stage) -> None:
    """The flight fails for good: three undos, then the workflow fails."""
    await saga(stage, booking(flight="invalid-1"))


@workflow.defn
class SignalCollector:
    """Returns the first `count` signals; its first task can be held up by a gate."""

    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self, count: int) -> list[str]:
        gate = GATES.get(workflow.info().workflow_id)
        if gate and not workflow.unsafe.is_replaying():
            gate.pass_through()
        await workflow.wait_condition(lambda: len(self.signals) >= count)
        return self.signals[:count]

    @workflow.signal
    def collect(self, value: str) -> None:
        self.signals.append(value)


@scenario
async def signals_while_scheduled(stage: Stage) -> None:
    """Two signals before any worker has taken the first workflow task."""
    handle = await stage.client.start_workflow("SignalCollector", 2, id=stage.name, task_queue=stage.name)
    await handle.signal("collect", "first")
    await handle.signal("collect", "second")
    await stage.history(name="history without a worker")
    async with stage.worker([SignalCollector]):
        await stage.outcome(handle)
    await stage.history()


@scenario
async def signals_while_running(stage: Stage) -> None:
    """Two signals while a worker holds the first workflow task: they stand behind its completion."""
    gate = GATES[stage.name] = Gate()
    async with stage.worker([SignalCollector]):
        handle = await stage.client.start_workflow("SignalCollector", 2, id=stage.name, task_queue=stage.name)
        await asyncio.to_thread(gate.entered.wait, 60)
        await handle.signal("collect", "first")
        await handle.signal("collect", "second")
        await stage.history(name="history while the task runs")
        gate.opened.set()
        await stage.outcome(handle)
    await stage.history()


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, milliseconds: int) -> str:
        await asyncio.sleep(milliseconds / 1000)
        return "awake"


@scenario
async def timer(stage: Stage) -> None:
    async with stage.worker([Sleeper]):
        handle = await stage.client.start_workflow("Sleeper", 150, id=stage.name, task_queue=stage.name)
        await stage.outcome(handle)
    await stage.history()


@activity.defn
async def heartbeat_until_cancelled(name: str) -> str:
    while True:
        activity.heartbeat(name, {"alive": True})
        await asyncio.sleep(0.05)


@workflow.defn
class HeartbeatingActivity:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            heartbeat_until_cancelled,
            name,
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(maximum_attempts=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@scenario
async def heartbeating_activity_cancelled(stage: Stage) -> None:
    """A cancel request reaches the activity with the answer to a heartbeat; activity and workflow end cancelled."""
    throttle = timedelta(milliseconds=100)
    async with stage.worker(
        [HeartbeatingActivity], [heartbeat_until_cancelled],
        max_heartbeat_throttle_interval=throttle, default_heartbeat_throttle_interval=throttle,
    ):  # fmt: skip
        handle = await stage.client.start_workflow("HeartbeatingActivity", "a", id=stage.name, task_queue=stage.name)

        async def heartbeat_arrived() -> bool:
            description = await stage.describe()
            return any(each.HasField("heartbeat_details") for each in description.pending_activities)

        await stage.until(heartbeat_arrived)
        stage.record("description", await stage.describe())
        await handle.cancel()
        await stage.outcome(handle)
    await stage.history()


@workflow.defn
class Repaired:
    """Fails its task as often as `FAILURES` says, as a defect in its code would."""

    @workflow.run
    async def run(self) -> str:
        workflow_id = workflow.info().workflow_id
        if FAILURES.get(workflow_id, 0) > 0:
            FAILURES[workflow_id] -= 1
            raise RuntimeError("a defect in the workflow's code")
        return "repaired"


@scenario
async def failed_workflow_task(stage: Stage) -> None:
    """A workflow task fails twice, only the first failure is written; the third attempt completes the workflow."""
    FAILURES[stage.name] = 2
    async with stage.worker([Repaired]):
        handle = await stage.client.start_workflow("Repaired", id=stage.name, task_queue=stage.name)
        await stage.outcome(handle)
    await stage.history()


@scenario
async def terminate(stage: Stage) -> None:
    async with stage.worker([SignalCollector]):
        handle = await stage.client.start_workflow("SignalCollector", 1, id=stage.name, task_queue=stage.name)
        await stage.until_history(lambda types: types[-1] == "WORKFLOW_TASK_COMPLETED")
        await handle.terminate("a", {"detail": "b"}, reason="no longer wanted")
        await stage.outcome(handle)
    await stage.history()


@workflow.defn
class Queried:
    def __init__(self) -> None:
        self.ended = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.ended)
        return "ended"

    @workflow.signal
    def end(self) -> None:
        self.ended = True

    @workflow.query
    def state(self, question: str) -> dict[str, Any]:
        return {"question": question, "ended": self.ended}

    @workflow.query
    def failing(self) -> str:
        raise ValueError("this query always fails")


@scenario
async def query(stage: Stage) -> None:
    """Queries of a running and of a closed workflow: an answer, a failure, an unknown type."""
    async with stage.worker([Queried]):
        handle = await stage.client.start_workflow("Queried", id=stage.name, task_queue=stage.name)
        for state in ("running", "closed"):
            await stage.attempt(f"{state}: answered", handle.query("state", "how are you?"))
            await stage.attempt(f"{state}: failing", handle.query("failing"))
            await stage.attempt(f"{state}: unknown type", handle.query("no-such-query"))
            if state == "running":
                await handle.signal("end")
                await stage.outcome(handle)
    await stage.history()
