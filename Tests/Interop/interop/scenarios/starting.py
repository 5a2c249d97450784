"""Starting workflows: ids, policies, refused requests, what the first event holds."""

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.api.common.v1 import Header, Memo
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from ..raw import (
    RawWorker,
    application_failure,
    complete_workflow,
    fail_workflow,
    payloads,
    schedule_activity,
    start_request,
)
from ..stage import Stage
from . import scenario

ONCE = {"maximum_attempts": 1}


@scenario
async def start_while_running(stage: Stage) -> None:
    """Another request to start, the same one again, and each policy for a conflict."""
    worker = RawWorker(stage)
    stage.record("started", await worker.start("a"))
    stage.record("same request", await worker.start("a"))
    await stage.attempt("another request", worker.start("b", request_id="other"))
    for policy in (
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
    ):
        name = WorkflowIdConflictPolicy.Name(policy)
        await stage.attempt(name, worker.start("b", request_id=name, workflow_id_conflict_policy=policy))
    first = stage.raw["started"]
    await stage.history(run_id=first.run_id, name="history of the terminated run")  # type: ignore[attr-defined]
    await stage.history()
    await stage.client.get_workflow_handle(stage.name).terminate()
    stage.record("same request after the end", await worker.start("a"))


@scenario
async def id_reuse_policies(stage: Stage) -> None:
    """Each policy after a workflow that completed, failed and was terminated."""
    worker = RawWorker(stage)
    policies = (
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED,
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
    )

    async def end(how: str) -> None:
        if how == "terminated":
            await stage.client.get_workflow_handle(stage.name).terminate()
        else:
            failed = how == "failed"
            command = fail_workflow(application_failure("no")) if failed else complete_workflow()
            await worker.complete(await worker.poll(), command)

    for how in ("completed", "failed", "terminated"):
        for policy in policies:
            name = WorkflowIdReusePolicy.Name(policy)
            await worker.start(request_id=f"{how} {name}")
            await end(how)
            request_id = f"after {how} {name}"
            answer = worker.start(request_id=request_id, workflow_id_reuse_policy=policy)
            if await stage.attempt(f"{how}, then {name}", answer):
                await end("terminated")


@scenario
async def terminate_if_running(stage: Stage) -> None:
    """The reuse policy that terminates what runs."""
    worker = RawWorker(stage)
    first = await worker.start()
    policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
    stage.record("answer", await worker.start(request_id="second", workflow_id_reuse_policy=policy))
    await stage.history(run_id=first.run_id, name="history of the first run")
    await stage.history()


@scenario
async def started_with_everything(stage: Stage) -> None:
    """Memo, header, timeouts and retry policy in the first event and in the description."""
    worker = RawWorker(stage)
    memo, header = Memo(), Header()
    memo.fields["note"].CopyFrom(payloads("remember").payloads[0])
    header.fields["trace"].CopyFrom(payloads("00-1").payloads[0])
    await worker.start(
        "input", memo=memo, header=header, workflow_execution_timeout=500, workflow_run_timeout=400,
        workflow_task_timeout=30,
    )  # fmt: skip
    await stage.history()
    stage.record("description", await stage.describe())


@scenario
async def clamped_timeouts(stage: Stage) -> None:
    """Timeouts that are longer than they may be."""
    worker = RawWorker(stage)
    await worker.start(workflow_execution_timeout=50, workflow_run_timeout=400, workflow_task_timeout=500)
    await stage.history()
    other = f"{stage.name}-2"
    await worker.start(workflow_id=other, request_id=other, workflow_run_timeout=7, workflow_task_timeout=9)
    await stage.history(other, name="short run")
    stage.record("description", await stage.describe(other))


BAD: dict[str, Callable[[StartWorkflowExecutionRequest], Any]] = {
    "no namespace": lambda request: request.ClearField("namespace"),
    "unknown namespace": lambda request: setattr(request, "namespace", "no-such-namespace"),
    "no workflow id": lambda request: request.ClearField("workflow_id"),
    "no workflow type": lambda request: request.ClearField("workflow_type"),
    "no task queue": lambda request: request.ClearField("task_queue"),
    "negative run timeout": lambda request: request.workflow_run_timeout.FromSeconds(-1),
    "negative execution timeout": lambda request: request.workflow_execution_timeout.FromSeconds(-1),
    "negative task timeout": lambda request: request.workflow_task_timeout.FromSeconds(-1),
    "workflow id of 1001 characters": lambda request: setattr(request, "workflow_id", "x" * 1001),
    "type of 1001 characters": lambda request: setattr(request.workflow_type, "name", "x" * 1001),
    "queue of 1001 characters": lambda request: setattr(request.task_queue, "name", "x" * 1001),
    "request id of 1001 characters": lambda request: setattr(request, "request_id", "x" * 1001),
    "bad retry policy": lambda request: setattr(request.retry_policy, "backoff_coefficient", 0.5),
    "negative attempts": lambda request: setattr(request.retry_policy, "maximum_attempts", -1),
    "both policies": lambda request: (
        setattr(request, "workflow_id_reuse_policy", 4), setattr(request, "workflow_id_conflict_policy", 1)
    ),
    "rejected and terminated": lambda request: (
        setattr(request, "workflow_id_reuse_policy", 3), setattr(request, "workflow_id_conflict_policy", 3)
    ),
    "reserved queue": lambda request: setattr(request.task_queue, "name", "/_sys/queue"),
    "negative start delay": lambda request: request.workflow_start_delay.FromSeconds(-1),
    "empty queue name": lambda request: request.task_queue.ClearField("name"),
    "negative interval": lambda request: request.retry_policy.initial_interval.FromSeconds(-1),
    "negative maximum": lambda request: request.retry_policy.maximum_interval.FromSeconds(-1),
    "maximum below the interval": lambda request: (
        request.retry_policy.initial_interval.FromSeconds(9), request.retry_policy.maximum_interval.FromSeconds(5)
    ),
}  # fmt: skip


@scenario
async def refused_starts(stage: Stage) -> None:
    """Requests to start that are refused, each with its message."""
    for name, spoil in BAD.items():
        request = start_request(stage, request_id=name)
        spoil(request)
        await stage.attempt(name, stage.service.start_workflow_execution(request))


@scenario
async def no_request_id(stage: Stage) -> None:
    """Two starts without a request id are two different requests."""
    worker = RawWorker(stage)
    await worker.start(request_id="")
    await stage.attempt("again", worker.start(request_id=""))
    await stage.history()


@scenario
async def odd_ids(stage: Stage) -> None:
    """Ids with spaces, slashes, quotes and letters of other scripts."""
    worker = RawWorker(stage)
    workflow_id = "odd /\\'\" ids: приве́т 🚗"
    await worker.start(workflow_id=workflow_id)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history(workflow_id)


@scenario
async def too_large(stage: Stage) -> None:
    """Inputs, signals, results and failures over 2 MiB."""
    large = "x" * (2 * 1024 * 1024 + 1)
    worker = RawWorker(stage)
    await stage.attempt("start", worker.start(large))
    await worker.start()
    handle = stage.client.get_workflow_handle(stage.name)
    await stage.attempt("signal", handle.signal("large", large))
    answers: dict[str, Callable[[Any], Awaitable[Any]]] = {
        "heartbeat": lambda activity: worker.heartbeat(activity, large),
        "activity result": lambda activity: worker.complete_activity(activity, large),
        "activity failure": lambda activity: worker.fail_activity(activity, application_failure(large)),
    }
    for name, answer in answers.items():
        await worker.complete(
            await worker.poll(), schedule_activity(name, stage, start_to_close_timeout=60, retry=ONCE)
        )
        await stage.attempt(name, answer(await worker.poll_activity()))
    task = await worker.poll()
    await stage.attempt("workflow result", worker.complete(task, complete_workflow(large)))
    await stage.history()
    stage.record("status", (await stage.describe()).workflow_execution_info.status)


@scenario
async def too_large_for_grpc(stage: Stage) -> None:
    """A message over 4 MiB is refused by the transport."""
    await stage.attempt("start", RawWorker(stage).start("x" * (5 * 1024 * 1024)))
