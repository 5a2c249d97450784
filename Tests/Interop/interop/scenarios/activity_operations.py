"""What operators do with pending activities: pause, unpause, reset, change of options."""

from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)

from ..raw import RawWorker, application_failure, cancel_activity, complete_workflow, schedule_activity
from ..stage import Stage
from . import scenario
from .activities import ONCE, QUICKLY, ended, scheduled

SLOWLY = {"initial_interval": 600, "backoff_coefficient": 1.0}


class Operator:
    """Someone who looks after a scenario's activities."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def names(self, fields: dict[str, Any]) -> dict[str, Any]:
        if not {"id", "type", "unpause_all", "match_all", "nobody"} & fields.keys():
            fields = {"id": "a", **fields}
        fields.pop("nobody", None)
        execution = {"workflow_id": fields.pop("workflow_id", self.stage.name), "run_id": fields.pop("run_id", "")}
        return {"namespace": self.stage.client.namespace, "execution": execution, "identity": "operator", **fields}

    async def pause(self, **fields: Any) -> Any:
        return await self.stage.service.pause_activity(PauseActivityRequest(**self.names(fields)))

    async def unpause(self, **fields: Any) -> Any:
        return await self.stage.service.unpause_activity(UnpauseActivityRequest(**self.names(fields)))

    async def reset(self, **fields: Any) -> Any:
        return await self.stage.service.reset_activity(ResetActivityRequest(**self.names(fields)))

    async def update(self, *mask: str, options: ActivityOptions | None = None, **fields: Any) -> Any:
        if options is not None:
            fields["activity_options"] = options
        if mask:
            fields["update_mask"] = FieldMask(paths=mask)
        return await self.stage.service.update_activity_options(UpdateActivityOptionsRequest(**self.names(fields)))

    async def describe(self, name: str) -> None:
        activities = (await self.stage.describe()).pending_activities
        for activity in sorted(activities, key=lambda each: each.activity_id):
            self.stage.record(f"{name}: {activity.activity_id}", activity)

    async def pending(self, id: str = "a") -> PendingActivityInfo:
        activities = (await self.stage.describe()).pending_activities
        return next(activity for activity in activities if activity.activity_id == id)


@scenario
async def waiting_activity_paused(stage: Stage) -> None:
    """Paused before a worker has it, and unpaused: the same attempt goes on."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60), Operator(stage)
    await stage.attempt("paused", operator.pause(reason="maintenance"))
    await operator.describe("while paused")
    await stage.attempt("paused again", operator.pause(reason="again"))
    await operator.describe("paused again")
    await stage.attempt("unpaused", operator.unpause())
    await operator.describe("unpaused")
    await stage.attempt("unpaused again", operator.unpause())
    task = await worker.poll_activity()
    stage.record("task", task)
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def paused_activity_waits_no_longer(stage: Stage) -> None:
    """Schedule-to-start does not end it while it is paused; unpaused, it counts from then."""
    worker = await scheduled(stage, schedule_to_start_timeout=1, start_to_close_timeout=60)
    operator = Operator(stage)
    await operator.pause()
    await worker.poll_briefly()
    await operator.describe("after its deadline")
    await stage.history(name="history while paused")
    await operator.unpause()
    await ended(stage, worker)


@scenario
async def paused_activity_has_no_deadline(stage: Stage) -> None:
    """Schedule-to-close does not end it while it is paused; unpaused, it is over at once."""
    worker, operator = await scheduled(stage, schedule_to_close_timeout=1), Operator(stage)
    await operator.pause()
    await worker.poll_briefly()
    await operator.describe("after its deadline")
    await operator.unpause()
    await ended(stage, worker)


@scenario
async def running_activity_paused(stage: Stage) -> None:
    """The worker learns of it by its heartbeat; its failure makes the next attempt wait."""
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30, retry=QUICKLY)
    operator = Operator(stage)
    task = await worker.poll_activity()
    await stage.attempt("paused", operator.pause(reason="maintenance"))
    await operator.describe("while it runs")
    stage.record("heartbeat", await worker.heartbeat(task, {"done": 5}))
    await worker.fail_activity(task, application_failure("paused"))
    await operator.describe("after the failure")
    await stage.attempt("unpaused", operator.unpause())
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    await operator.describe("second attempt")
    await worker.complete_activity(second, "done")
    await ended(stage, worker)


@scenario
async def paused_activity_completes(stage: Stage) -> None:
    """The running attempt of a paused activity may end it."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60), Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def paused_attempt_has_no_deadline(stage: Stage) -> None:
    """The running attempt of a paused activity does not time out before it is unpaused."""
    worker = await scheduled(stage, start_to_close_timeout=1, heartbeat_timeout=1, retry=QUICKLY)
    operator = Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await worker.poll_briefly()
    await operator.describe("after its deadline")
    stage.record("heartbeat", await worker.heartbeat(task))
    await operator.unpause()
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    await worker.complete_activity(second, "done")
    await ended(stage, worker)


@scenario
async def paused_activity_fails_for_good(stage: Stage) -> None:
    """A failure that is not retried ends a paused activity."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=QUICKLY), Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await worker.fail_activity(task, application_failure("fatal", non_retryable=True))
    await operator.describe("after the failure")
    stage.record("types", [EventType.Name(event.event_type) for event in (await stage.events()).events])


@scenario
async def paused_activity_fails_for_the_last_time(stage: Stage) -> None:
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=ONCE), Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await worker.fail_activity(task, application_failure("last"))
    await operator.describe("after the failure")
    stage.record("types", [EventType.Name(event.event_type) for event in (await stage.events()).events])


@scenario
async def running_activity_unpaused(stage: Stage) -> None:
    """Paused and unpaused while the same attempt runs."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30), Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await operator.unpause()
    await operator.describe("unpaused")
    stage.record("heartbeat", await worker.heartbeat(task))
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def activity_paused_in_its_backoff(stage: Stage) -> None:
    """Unpaused with a reset of attempts and heartbeat: it starts over at once."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=SLOWLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"), "so far")
    await operator.describe("in its backoff")
    await operator.pause()
    await operator.describe("paused")
    await operator.unpause(reset_attempts=True, reset_heartbeat=True)
    task = await worker.poll_activity()
    stage.record("task", task)
    await operator.describe("started over")
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def activity_unpaused_in_its_backoff(stage: Stage) -> None:
    """Unpaused without a reset: the next attempt is due at once, with the details of the heartbeat."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=SLOWLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"), "so far")
    await operator.pause()
    await operator.unpause(jitter=Duration(seconds=0))
    task = await worker.poll_activity()
    stage.record("task", task)
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def activities_paused_by_type(stage: Stage) -> None:
    """All activities of a type; then all of the workflow unpaused."""
    worker, operator = RawWorker(stage), Operator(stage)
    await worker.start()
    other = schedule_activity("c", stage, start_to_close_timeout=60)
    other.schedule_activity_task_command_attributes.activity_type.name = "other"
    commands = [schedule_activity(id, stage, start_to_close_timeout=60) for id in ["a", "b"]]
    await worker.complete(await worker.poll(), *commands, other)
    await stage.attempt("paused", operator.pause(type="work", reason="all"))
    await operator.describe("paused")
    await stage.attempt("paused an unknown type", operator.pause(type="none"))
    await stage.attempt("unpaused", operator.unpause(unpause_all=True))
    await operator.describe("unpaused")


@scenario
async def paused_activity_cancelled(stage: Stage) -> None:
    """The workflow cancels it while it is paused and no worker has it."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60), Operator(stage)
    await operator.pause()
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(5))
    await ended(stage, worker)


@scenario
async def running_and_paused_activity_cancelled(stage: Stage) -> None:
    """Paused, then cancelled by the workflow: both are in the heartbeat's answer."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30), Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(5))
    stage.record("heartbeat", await worker.heartbeat(task))
    await operator.describe("both")
    await worker.cancel_activity(task)
    await ended(stage, worker)


@scenario
async def waiting_activity_reset(stage: Stage) -> None:
    """In its backoff: the first attempt is due at once, without the failure; the heartbeat's details stay."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=SLOWLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"), "so far")
    await stage.attempt("reset", operator.reset())
    task = await worker.poll_activity()
    stage.record("task", task)
    await operator.describe("after the reset")
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def waiting_activity_reset_with_its_heartbeat(stage: Stage) -> None:
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=SLOWLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"), "so far")
    await operator.reset(reset_heartbeat=True)
    task = await worker.poll_activity()
    stage.record("task", task)
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def running_activity_reset(stage: Stage) -> None:
    """The worker learns of it by its heartbeat; after its failure the first attempt is due again."""
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30, retry=QUICKLY)
    operator = Operator(stage)
    task = await worker.poll_activity()
    await worker.heartbeat(task, "so far")
    await stage.attempt("reset", operator.reset(reset_heartbeat=True))
    await operator.describe("while it runs")
    stage.record("heartbeat", await worker.heartbeat(task, "further"))
    await worker.fail_activity(task, application_failure("second"))
    again = await worker.poll_activity()
    stage.record("next attempt", again)
    await operator.describe("next attempt")
    stage.record("heartbeat of the next attempt", await worker.heartbeat(again, "anew"))
    await worker.complete_activity(again, "done")
    await ended(stage, worker)


@scenario
async def running_second_attempt_reset(stage: Stage) -> None:
    """It is described as the first attempt. Temporal does not hear of its worker any more, Sagamore does."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=QUICKLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"))
    await worker.poll_activity()
    await stage.attempt("reset", operator.reset())
    await operator.describe("while it runs")


@scenario
async def running_and_reset_activity_completes(stage: Stage) -> None:
    worker, operator = await scheduled(stage, start_to_close_timeout=60), Operator(stage)
    task = await worker.poll_activity()
    await operator.reset()
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def running_activity_paused_and_reset(stage: Stage) -> None:
    """Reset while it runs and is paused: once it stays paused, once it does not."""
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30, retry=QUICKLY)
    operator = Operator(stage)
    task = await worker.poll_activity()
    await operator.pause()
    await operator.reset(keep_paused=True)
    await operator.describe("kept paused")
    stage.record("heartbeat", await worker.heartbeat(task, "so far"))
    await operator.reset()
    await operator.describe("not kept paused")
    stage.record("heartbeat again", await worker.heartbeat(task, "so far"))
    await worker.fail_activity(task, application_failure("first"))
    await operator.describe("after the failure")


@scenario
async def activities_reset_with_their_options(stage: Stage) -> None:
    """All of a type, with the original options; the answer to changed options of a type is the last one's."""
    worker, operator = RawWorker(stage), Operator(stage)
    await worker.start()
    commands = [schedule_activity(id, stage, start_to_close_timeout=60) for id in ["a", "b"]]
    await worker.complete(await worker.poll(), *commands)
    options = ActivityOptions()
    options.heartbeat_timeout.FromSeconds(90)
    stage.record("changed", await operator.update("heartbeat_timeout", options=options, type="work"))
    await operator.describe("changed")
    await stage.attempt("reset", operator.reset(type="work", restore_original_options=True))
    await operator.describe("reset")


@scenario
async def all_activities_at_once(stage: Stage) -> None:
    worker, operator = await scheduled(stage, start_to_close_timeout=60), Operator(stage)
    options = ActivityOptions()
    options.heartbeat_timeout.FromSeconds(30)
    await stage.attempt("changed", operator.update("heartbeat_timeout", options=options, match_all=True))
    await operator.describe("changed")
    await stage.attempt("reset", operator.reset(match_all=True))
    await operator.describe("reset")
    await stage.attempt("unpaused", operator.unpause(unpause_all=True))


@scenario
async def paused_activity_reset(stage: Stage) -> None:
    """Once it stays paused, once it is unpaused."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=SLOWLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"), "so far")
    await operator.pause()
    await stage.attempt("reset, still paused", operator.reset(keep_paused=True))
    await operator.describe("still paused")
    await stage.attempt("reset", operator.reset())
    await operator.describe("not paused")
    task = await worker.poll_activity()
    stage.record("task", task)
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def options_of_a_waiting_activity(stage: Stage) -> None:
    """Timeouts and retry policy change; a shorter interval counts for the backoff that is under way."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=SLOWLY), Operator(stage)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"))
    options = ActivityOptions()
    options.start_to_close_timeout.FromSeconds(50)
    options.heartbeat_timeout.FromSeconds(20)
    options.retry_policy.maximum_attempts = 5
    options.retry_policy.backoff_coefficient = 3
    stage.record(
        "timeouts",
        await operator.update(
            "start_to_close_timeout", "heartbeat_timeout", "retry_policy.maximum_attempts", options=options
        ),
    )
    await operator.describe("new timeouts")
    options = ActivityOptions()
    options.retry_policy.initial_interval.FromSeconds(1)
    options.retry_policy.maximum_interval.FromSeconds(10)
    stage.record(
        "retry policy",
        await operator.update("retry_policy.initial_interval", "retry_policy.maximum_interval", options=options),
    )
    task = await worker.poll_activity()
    stage.record("task", task)
    await operator.describe("started")
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def options_of_a_running_activity(stage: Stage) -> None:
    """The running attempt keeps its deadline until the next one; the original options can be restored."""
    worker, operator = await scheduled(stage, start_to_close_timeout=60, retry=QUICKLY), Operator(stage)
    first = await worker.poll_activity()
    options = ActivityOptions()
    options.start_to_close_timeout.FromSeconds(50)
    options.schedule_to_close_timeout.FromSeconds(500)
    options.priority.priority_key = 2
    stage.record("answer", await operator.update(
        "startToCloseTimeout", "schedule_to_close_timeout", "priority", options=options))  # fmt: skip
    await operator.describe("changed")
    await worker.fail_activity(first, application_failure("first"))
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    stage.record("restored", await operator.update(restore_original=True))
    await operator.describe("restored")
    await worker.complete_activity(second, "done")
    await ended(stage, worker)


@scenario
async def another_queue_for_an_activity(stage: Stage) -> None:
    """An activity that no worker polls for goes to another queue."""
    worker, operator = RawWorker(stage), Operator(stage)
    await worker.start()
    schedule = schedule_activity("a", stage, start_to_close_timeout=60)
    schedule.schedule_activity_task_command_attributes.task_queue.name = f"{stage.name}-nobody"
    await worker.complete(await worker.poll(), schedule)
    options = ActivityOptions()
    options.task_queue.name = stage.name
    stage.record("answer", await operator.update("task_queue.name", options=options))
    task = await worker.poll_activity()
    stage.record("task", task)
    await operator.describe("started")
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def refusals_of_activity_operations(stage: Stage) -> None:
    worker, operator = await scheduled(stage, start_to_close_timeout=60), Operator(stage)
    some = ActivityOptions()
    some.start_to_close_timeout.FromSeconds(50)
    none = ActivityOptions()
    calls = {"pause": operator.pause, "unpause": operator.unpause, "reset": operator.reset}
    masked = {"update": lambda **fields: operator.update("start_to_close_timeout", options=some, **fields)}
    for name, call in {**calls, **masked}.items():
        await stage.attempt(f"{name}: unknown id", call(id="none"))
        await stage.attempt(f"{name}: unknown type", call(type="none"))
        await stage.attempt(f"{name}: empty id", call(id=""))
        await stage.attempt(f"{name}: neither id nor type", call(nobody=True))
        await stage.attempt(f"{name}: no workflow", call(workflow_id="none"))
        await stage.attempt(f"{name}: no workflow id", call(workflow_id=""))
        await stage.attempt(f"{name}: malformed run", call(run_id="none"))
        await stage.attempt(f"{name}: no namespace", call(namespace=""))
    await stage.attempt("update: no options", operator.update("start_to_close_timeout"))
    await stage.attempt("update: no mask", operator.update(options=some))
    await stage.attempt("update: unknown path", operator.update("none", options=some))
    await stage.attempt("update: restore and options", operator.update(options=some, restore_original=True))
    await stage.attempt("update: no timeout left", operator.update(
        "start_to_close_timeout", "schedule_to_close_timeout", options=none))  # fmt: skip
    for field in ["start_to_close_timeout", "heartbeat_timeout", "schedule_to_start_timeout"]:
        options = ActivityOptions()
        getattr(options, field).FromSeconds(-1)
        await stage.attempt(f"update: negative {field}", operator.update(field, options=options))
    options = ActivityOptions()
    options.retry_policy.backoff_coefficient = 0.5
    await stage.attempt("update: bad coefficient", operator.update("retry_policy.backoff_coefficient", options=options))
    await stage.attempt("update: empty queue", operator.update("task_queue.name", options=none))
    await stage.attempt("update: empty retry policy", operator.update("retry_policy", options=none))
    await operator.describe("after all of that")
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), complete_workflow())
    for name, call in {**calls, **masked}.items():
        await stage.attempt(f"{name}: closed", call())
