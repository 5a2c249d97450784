"""Activities that are answered from outside: by workflow id and activity id, without a task token."""

from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import (
    RecordActivityTaskHeartbeatByIdRequest,
    RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskFailedByIdRequest,
)

from ..raw import RawWorker, application_failure, cancel_activity, complete_workflow, payloads, schedule_activity
from ..stage import Stage
from . import scenario
from .activities import ONCE, QUICKLY, ended, scheduled


class Outside:
    """A program that answers a scenario's activities by their ids."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def names(self, id: str, fields: dict[str, Any]) -> dict[str, Any]:
        common = {"namespace": self.stage.client.namespace, "workflow_id": self.stage.name, "identity": "outside"}
        return {**common, "activity_id": id, **fields}

    async def complete(self, id: str, *values: Any, **fields: Any) -> Any:
        request = RespondActivityTaskCompletedByIdRequest(**self.names(id, fields), result=payloads(*values))
        return await self.stage.service.respond_activity_task_completed_by_id(request)

    async def fail(self, id: str, failure: Failure | None, **fields: Any) -> Any:
        request = RespondActivityTaskFailedByIdRequest(**self.names(id, fields), failure=failure)
        return await self.stage.service.respond_activity_task_failed_by_id(request)

    async def cancel(self, id: str, *details: Any, **fields: Any) -> Any:
        request = RespondActivityTaskCanceledByIdRequest(**self.names(id, fields), details=payloads(*details))
        return await self.stage.service.respond_activity_task_canceled_by_id(request)

    async def heartbeat(self, id: str, *details: Any, **fields: Any) -> Any:
        request = RecordActivityTaskHeartbeatByIdRequest(**self.names(id, fields), details=payloads(*details))
        return await self.stage.service.record_activity_task_heartbeat_by_id(request)

    async def everything(self, when: str, id: str, **fields: Any) -> None:
        """Makes each of the four calls where all are refused."""
        await self.stage.attempt(f"{when}: completed", self.complete(id, "done", **fields))
        await self.stage.attempt(f"{when}: failed", self.fail(id, application_failure("no"), **fields))
        await self.stage.attempt(f"{when}: cancelled", self.cancel(id, **fields))
        await self.stage.attempt(f"{when}: heartbeat", self.heartbeat(id, **fields))


@scenario
async def activity_completed_by_id(stage: Stage) -> None:
    """With a heartbeat before; the run is not named."""
    worker, outside = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30), Outside(stage)
    await worker.poll_activity()
    stage.record("heartbeat", await outside.heartbeat("a", {"done": 5}))
    stage.record("description", await stage.describe())
    stage.record("answer", await outside.complete("a", {"from": "outside"}))
    await stage.attempt("again", outside.complete("a", "again"))
    await ended(stage, worker)


@scenario
async def activity_failed_by_id(stage: Stage) -> None:
    """Once for a retry, with the details of a heartbeat, and once for good; the run is named."""
    worker = await scheduled(stage, start_to_close_timeout=60, retry={**QUICKLY, "maximum_attempts": 2})
    outside = Outside(stage)
    run = (await stage.describe()).workflow_execution_info.execution.run_id
    await worker.poll_activity()
    stage.record(
        "first answer",
        await outside.fail("a", application_failure("first"), run_id=run, last_heartbeat_details=payloads("so far")),
    )
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    stage.record("second answer", await outside.fail("a", application_failure("second"), run_id=run))
    await ended(stage, worker)


@scenario
async def activity_cancelled_by_id(stage: Stage) -> None:
    """Refused before the workflow asks for it."""
    worker, outside = await scheduled(stage, start_to_close_timeout=60, retry=ONCE), Outside(stage)
    await worker.poll_activity()
    await stage.attempt("too early", outside.cancel("a", "too early"))
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(5))
    stage.record("heartbeat", await outside.heartbeat("a"))
    stage.record("answer", await outside.cancel("a", {"cleaned": "up"}))
    await ended(stage, worker)


@scenario
async def refusals_of_answers_by_id(stage: Stage) -> None:
    """No such workflow, run or activity; an activity that no worker has, also between attempts; a closed workflow."""
    outside = Outside(stage)
    await outside.everything("no workflow", "a")
    worker = await scheduled(stage, start_to_close_timeout=60, retry={"initial_interval": 600})
    await outside.everything("no activity", "none")
    await outside.everything("no activity id", "")
    await outside.everything("no workflow id", "a", workflow_id="")
    await outside.everything("no namespace", "a", namespace="")
    await outside.everything("another namespace", "a", namespace="nowhere")
    await outside.everything("malformed run", "a", run_id="none")
    await outside.everything("another run", "a", run_id="7c5c6b0e-6d5f-4b3a-8a5e-2f4f6a3d9b10")
    await outside.everything("long activity id", "a" * 1_001)
    await stage.attempt("not started: cancelled", outside.cancel("a"))
    await stage.attempt("not started: heartbeat", outside.heartbeat("a"))
    await worker.fail_activity(await worker.poll_activity(), application_failure("first attempt"))
    await stage.attempt("between attempts: cancelled", outside.cancel("a"))
    await stage.attempt("between attempts: heartbeat", outside.heartbeat("a"))
    await stage.attempt("between attempts: failed", outside.fail("a", application_failure("no")))
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), complete_workflow())
    await outside.everything("closed", "a")
    await stage.history()


@scenario
async def large_answers_by_id(stage: Stage) -> None:
    """A result, heartbeat details and cancel details over the limit fail the activity."""
    large = "x" * (2 << 20)
    worker, outside = RawWorker(stage), Outside(stage)
    await worker.start()
    for what in ["result", "heartbeat", "cancel"]:
        await worker.complete(await worker.poll(), schedule_activity(what, stage, start_to_close_timeout=60))
        await worker.poll_activity()
        match what:
            case "result":
                await stage.attempt(what, outside.complete(what, large))
            case "heartbeat":
                await stage.attempt(what, outside.heartbeat(what, large))
            case "cancel":
                await stage.attempt(what, outside.cancel(what, large))
    await ended(stage, worker)


@scenario
async def large_answers_by_token(stage: Stage) -> None:
    """The same answers by the task's token."""
    large = "x" * (2 << 20)
    worker = RawWorker(stage)
    await worker.start()
    for what in ["result", "heartbeat", "cancel"]:
        await worker.complete(await worker.poll(), schedule_activity(what, stage, start_to_close_timeout=60))
        task = await worker.poll_activity()
        match what:
            case "result":
                await stage.attempt(what, worker.complete_activity(task, large))
            case "heartbeat":
                await stage.attempt(what, worker.heartbeat(task, large))
            case "cancel":
                await stage.attempt(what, worker.cancel_activity(task, large))
    await ended(stage, worker)


@scenario
async def waiting_activity_completed_by_id(stage: Stage) -> None:
    """No worker has it: its start is written all the same."""
    worker, outside = await scheduled(stage, start_to_close_timeout=60), Outside(stage)
    stage.record("answer", await outside.complete("a", "done"))
    await ended(stage, worker)


@scenario
async def waiting_activity_failed_by_id(stage: Stage) -> None:
    """No worker has it."""
    worker, outside = await scheduled(stage, start_to_close_timeout=60, retry=ONCE), Outside(stage)
    await stage.attempt("answer", outside.fail("a", application_failure("no")))
    stage.record("description", await stage.describe())
    await stage.history()
