"""Resets: what a new run begins with, what is applied to it again, and what becomes of the run before."""

from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType, ResetReapplyType
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
)
from temporalio.service import RPCError

from ..raw import (
    RawWorker,
    application_failure,
    complete_workflow,
    fail_workflow,
    payloads,
    schedule_activity,
    set_fields,
    start_timer,
)
from ..stage import Stage
from . import scenario
from .workflows import MISSING_RUN


def reset_request(stage: Stage, event_id: int, request_id: str = "reset", **fields: Any) -> Any:
    request = ResetWorkflowExecutionRequest(
        namespace="default", reason="the reason", workflow_task_finish_event_id=event_id, request_id=request_id,
        identity="resetter",
    )  # fmt: skip
    request.workflow_execution.workflow_id = stage.name
    run_id = fields.pop("run_id", "")
    request.workflow_execution.run_id = run_id
    set_fields(request, fields)
    return request


async def reset(stage: Stage, event_id: int, request_id: str = "reset", **fields: Any) -> Any:
    return await stage.service.reset_workflow_execution(reset_request(stage, event_id, request_id, **fields))


async def signal(stage: Stage, name: str, *arguments: Any, request_id: str = "") -> None:
    request = SignalWorkflowExecutionRequest(
        namespace="default", signal_name=name, request_id=request_id, identity="signaller"
    )
    request.workflow_execution.workflow_id = stage.name
    if arguments:
        request.input.CopyFrom(payloads(*arguments))
    request.header.fields["h"].CopyFrom(payloads("header").payloads[0])
    await stage.service.signal_workflow_execution(request)


async def described(stage: Stage, name: str, run_id: str) -> None:
    """A run that was terminated while a workflow task was due. Temporal describes that task for ever."""
    description = await stage.describe(run_id=run_id)
    description.ClearField("pending_workflow_task")
    stage.record(name, description)


async def ended_run(stage: Stage, *, signals: int = 2) -> str:
    """A run with three completed workflow tasks: the second and the third follow a signal each."""
    worker = RawWorker(stage)
    started = await worker.start("argument")
    await worker.complete(await worker.poll())
    for number in range(signals):
        await signal(stage, f"s{number}", number, request_id=f"r{number}")
        await worker.complete(await worker.poll(), *([complete_workflow("end")] if number == signals - 1 else []))
    return str(started.run_id)


@scenario
async def reset_of_a_running_run(stage: Stage) -> None:
    """A run that waits for signals is reset behind its first workflow task: it is terminated, signals come again."""
    worker = RawWorker(stage)
    started = await worker.start("argument")
    await worker.complete(await worker.poll(), start_timer("t", 60))
    await signal(stage, "s0", 0, request_id="r0")
    await worker.complete(await worker.poll())
    answer = await reset(stage, 4)
    stage.record("answer", answer)
    await stage.history(name="before", run_id=started.run_id)
    await stage.history(name="after")
    stage.record("description before", await stage.describe(run_id=started.run_id))
    stage.record("description after", await stage.describe())

    await worker.complete(await worker.poll(), complete_workflow("end"))
    await stage.history(name="at the end")
    stage.record("description at the end", await stage.describe())



@scenario
async def reset_request_again(stage: Stage) -> None:
    """The same request id again: while the new run is open, once it is closed, and the one that started the first run.

    Temporal keeps the request id of a reset nowhere, so that a client that missed the answer and asks again resets
    twice. Sagamore answers with the run that the request began.
    """
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll())
    first = await reset(stage, 4)
    again = await reset(stage, 4)
    stage.record("again", again.run_id == first.run_id)
    await worker.complete(await worker.poll(), complete_workflow("end"))
    stage.record("after the end", (await reset(stage, 4)).run_id == again.run_id)
    current = (await stage.describe()).workflow_execution_info.execution.run_id
    stage.record("the start's", (await reset(stage, 4, f"{stage.name} start")).run_id == current)


@scenario
async def reset_of_a_closed_run(stage: Stage) -> None:
    """A run that has completed is reset behind its second workflow task: it keeps its status."""
    first = await ended_run(stage)
    await reset(stage, 8)
    await stage.history(name="before", run_id=first)
    await stage.history(name="after")
    stage.record("description before", await stage.describe(run_id=first))
    stage.record("description after", await stage.describe())
    worker = RawWorker(stage)
    stage.record("task", await worker.poll())


@scenario
async def reset_points(stage: Stage) -> None:
    """Every event of a run as the point of a reset: which are accepted, and with what words the others are refused."""
    first = await ended_run(stage)
    last = len((await stage.events(run_id=first)).events)
    for event_id in range(0, last + 3):
        try:
            await reset(stage, event_id, f"reset {event_id}", run_id=first)
            stage.record(f"event {event_id}", "accepted")
        except RPCError as error:
            stage.record(f"event {event_id}", error)
    history = await stage.events()
    await stage.history(name="of the last", run_id=history.events[-1].workflow_task_failed_event_attributes.new_run_id)


@scenario
async def reset_refusals(stage: Stage) -> None:
    """Missing workflows, runs and namespaces; no reason; no request id; both kinds of what is applied again."""
    await stage.attempt("missing workflow", reset(stage, 4))
    first = await ended_run(stage)
    await stage.attempt("missing run", reset(stage, 4, run_id=MISSING_RUN))
    await stage.attempt("malformed run", reset(stage, 4, run_id="x"))
    for name, fields in {
        "no namespace": {"namespace": ""},
        "unknown namespace": {"namespace": "none"},
        "no request id": {"request_id": ""},
        "long request id": {"request_id": "x" * 1001},
        "no reason": {"reason": "", "request_id": "none"},
        "both": {
            "reset_reapply_type": ResetReapplyType.RESET_REAPPLY_TYPE_SIGNAL,
            "reset_reapply_exclude_types": [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
        },
        "negative": {"workflow_task_finish_event_id": -1},
    }.items():
        request = reset_request(stage, 4, name, run_id=first)
        for field in fields:
            request.ClearField(field)
        set_fields(request, fields)
        await stage.attempt(name, stage.service.reset_workflow_execution(request))
    request = ResetWorkflowExecutionRequest(namespace="default", workflow_task_finish_event_id=4, request_id="x")
    await stage.attempt("no execution", stage.service.reset_workflow_execution(request))
    request = reset_request(stage, 4, "no workflow id")
    request.workflow_execution.workflow_id = ""
    await stage.attempt("no workflow id", stage.service.reset_workflow_execution(request))
    await stage.history()


@scenario
async def reset_without_signals(stage: Stage) -> None:
    """Signals are left out: by their exclusion, and by the older field."""
    first = await ended_run(stage)
    exclude = [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL]
    await reset(stage, 4, "excluded", reset_reapply_exclude_types=exclude, run_id=first)
    await stage.history(name="excluded")
    for name, kind in (
        ("none", ResetReapplyType.RESET_REAPPLY_TYPE_NONE),
        ("signals", ResetReapplyType.RESET_REAPPLY_TYPE_SIGNAL),
        ("all", ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE),
    ):
        await reset(stage, 4, name, reset_reapply_type=kind, run_id=first)
        await stage.history(name=name)


@scenario
async def reset_with_activities(stage: Stage) -> None:
    """Activities at the reset point: one ended, one not taken, one running, one that waits for a retry."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(
        await worker.poll(),
        schedule_activity("ended", stage, start_to_close_timeout=60),
        schedule_activity("running", stage, start_to_close_timeout=60, heartbeat_timeout=60),
        schedule_activity("retried", stage, start_to_close_timeout=60, retry={"initial_interval": 60}),
    )
    polled = [await worker.poll_activity() for _ in range(3)]
    tasks = {task.activity_id: task for task in polled}
    await worker.heartbeat(tasks["running"], "beat")
    await worker.fail_activity(tasks["retried"], application_failure("failed"))
    await worker.complete_activity(tasks["ended"], "result")
    await worker.complete(await worker.poll(), schedule_activity("waiting", stage, start_to_close_timeout=60))
    await signal(stage, "s")
    await worker.complete(await worker.poll())
    await reset(stage, len((await stage.events()).events))
    await stage.history(name="before", run_id=started.run_id)
    await stage.history(name="after")
    stage.record("description after", await stage.describe())
    for name in sorted(tasks):
        await stage.attempt(f"{name} completed", worker.complete_activity(tasks[name], "late"))


@scenario
async def reset_before_an_activity_ended(stage: Stage) -> None:
    """A reset behind the end of an activity, which stays ended, and one to before it was scheduled."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), schedule_activity("a", stage, start_to_close_timeout=60))
    await worker.complete_activity(await worker.poll_activity(), "result")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.attempt("signal to a closed run", signal(stage, "late"))
    await reset(stage, 9)
    await stage.history(name="with it ended")
    await reset(stage, 3, "another")
    await stage.history(name="from the beginning")


@scenario
async def reset_with_timers(stage: Stage) -> None:
    """A timer that runs at the reset point fires in the new run, at its own time."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_timer("t", 2))
    await signal(stage, "s")
    await worker.complete(await worker.poll(), complete_workflow())
    await reset(stage, 8)
    await stage.until_history(lambda types: "TIMER_FIRED" in types)
    await stage.history(name="after")
    await reset(stage, 8, "again")
    await stage.until_history(lambda types: "TIMER_FIRED" in types)
    await stage.history(name="after it was over")


@scenario
async def reset_of_a_failed_run(stage: Stage) -> None:
    """A run that has failed is reset to its last workflow task."""
    worker = RawWorker(stage)
    first = await worker.start(workflow_run_timeout=60, workflow_execution_timeout=120)
    await worker.complete(await worker.poll(), fail_workflow(application_failure("failed")))
    await reset(stage, 4)
    await stage.history(name="before", run_id=first.run_id)
    await stage.history(name="after")
    stage.record("description", await stage.describe())


@scenario
async def reset_of_an_earlier_run(stage: Stage) -> None:
    """The first run is reset while a later one, started by a client, runs: that one is terminated."""
    first = await ended_run(stage)
    worker = RawWorker(stage)
    second = await worker.start(request_id="second")
    await signal(stage, "of the second")
    await reset(stage, 4, run_id=first)
    await stage.history(name="first", run_id=first)
    await stage.history(name="second", run_id=second.run_id)
    await stage.history(name="after")
    stage.record("description of the first", await stage.describe(run_id=first))
    await described(stage, "description of the second", second.run_id)
    stage.record("description after", await stage.describe())


@scenario
async def reset_of_a_reset_run(stage: Stage) -> None:
    """A run that a reset began is reset once more: which run it names as its origin."""
    first = await ended_run(stage)
    second = await reset(stage, 8)
    third = await reset(stage, 4, "second")
    await stage.history(name="first", run_id=first)
    await stage.history(name="second", run_id=second.run_id)
    await stage.history(name="third", run_id=third.run_id)
    stage.record("description of the first", await stage.describe(run_id=first))
    await described(stage, "description of the second", second.run_id)
    stage.record("description of the third", await stage.describe(run_id=third.run_id))


@scenario
async def reset_while_a_task_runs(stage: Stage) -> None:
    """A worker holds a workflow task, and a signal is buffered, when the run is reset."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(await worker.poll())
    await signal(stage, "s0")
    task = await worker.poll()
    await signal(stage, "buffered")
    await reset(stage, 4)
    await stage.attempt("completion", worker.complete(task))
    await stage.history(name="before", run_id=started.run_id)
    await stage.history(name="after")


@scenario
async def reset_with_a_cancel_request(stage: Stage) -> None:
    """A cancel request behind the reset point, and one before it."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(await worker.poll())
    request = RequestCancelWorkflowExecutionRequest(
        namespace="default", workflow_execution=WorkflowExecution(workflow_id=stage.name), identity="canceller",
        request_id="c", reason="the reason",
    )  # fmt: skip
    await stage.service.request_cancel_workflow_execution(request)
    await worker.complete(await worker.poll())
    await signal(stage, "s")
    await worker.complete(await worker.poll())
    await reset(stage, 4, run_id=started.run_id)
    await stage.history(name="behind")
    exclude = [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST]
    await reset(stage, 4, "excluded", run_id=started.run_id, reset_reapply_exclude_types=exclude)
    await stage.history(name="excluded")
    await reset(stage, 12, "before", run_id=started.run_id)
    await stage.history(name="before")
    stage.record("description", await stage.describe())


@scenario
async def reset_in_a_start_delay(stage: Stage) -> None:
    """A run that had no workflow task yet can't be reset."""
    await RawWorker(stage).start(workflow_start_delay=60)
    await signal(stage, "s")
    await stage.attempt("reset", reset(stage, 2))


@scenario
async def reset_when_a_task_failed(stage: Stage) -> None:
    """The points around a workflow task that failed, and one that timed out."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.fail(await worker.poll(), "failed")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history(name="before", run_id=started.run_id)
    for event_id in (2, 3, 4, 5, 6, 7, 8):
        try:
            await reset(stage, event_id, f"reset {event_id}", run_id=started.run_id)
        except RPCError as error:
            stage.record(f"at {event_id}", error)
            continue
        await stage.history(name=f"at {event_id}")
