"""Starts with everything that they can carry, and starts together with a signal."""

from typing import Any

from temporalio.api.common.v1 import Header, Link, Memo, Payload
from temporalio.api.enums.v1 import EventType, WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.workflow.v1 import OnConflictOptions
from temporalio.api.workflowservice.v1 import (
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
)

from ..raw import (
    RawWorker,
    application_failure,
    complete_workflow,
    fail_workflow,
    payloads,
    set_fields,
    start_request,
)
from ..stage import Stage
from . import scenario

TERMINATE_EXISTING = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING


def signal_with_start(stage: Stage, signal: str = "go", **fields: Any) -> Any:
    request = SignalWithStartWorkflowExecutionRequest(
        namespace=stage.client.namespace,
        workflow_id=stage.name,
        identity="raw client",
        request_id=f"{stage.name} start",
        signal_name=signal,
    )
    request.workflow_type.name = "Raw"
    request.task_queue.name = stage.name
    request.input.CopyFrom(payloads("input"))
    request.signal_input.CopyFrom(payloads(signal))
    set_fields(request, fields)
    return stage.service.signal_with_start_workflow_execution(request)


def link(number: int) -> Link:
    made = Link()
    made.workflow_event.namespace = "default"
    made.workflow_event.workflow_id = f"linked {number}"
    made.workflow_event.run_id = f"00000000-0000-0000-0000-00000000000{number}"
    made.workflow_event.event_ref.event_id = number
    made.workflow_event.event_ref.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    return made


@scenario
async def described_metadata(stage: Stage) -> None:
    """Summary and details, links and priority."""
    worker = RawWorker(stage)
    request = start_request(stage, "input")
    request.user_metadata.summary.CopyFrom(payloads("summary").payloads[0])
    request.user_metadata.details.CopyFrom(payloads("details").payloads[0])
    request.links.append(link(1))
    request.priority.priority_key = 2
    request.priority.fairness_key = "tenant"
    request.priority.fairness_weight = 3
    await stage.service.start_workflow_execution(request)
    stage.record("description", await stage.describe())
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


def attached(stage: Stage, request_id: str, **options: Any) -> Any:
    """A start that uses the existing run; the options say what it leaves there."""
    request = start_request(stage, "b", request_id=request_id, links=[link(2)])
    request.workflow_id_conflict_policy = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
    request.on_conflict_options.CopyFrom(OnConflictOptions(**options))
    return stage.service.start_workflow_execution(request)


@scenario
async def attached_starts(stage: Stage) -> None:
    """A start that uses the existing run, and leaves its request id and links there."""
    worker = RawWorker(stage)
    await stage.attempt("started", worker.start("a"))
    await stage.attempt("nothing attached", attached(stage, "plain"))
    await stage.attempt("with its request id", attached(stage, "second", attach_request_id=True))
    await stage.attempt("again", attached(stage, "second", attach_request_id=True))
    await stage.attempt("with links", attached(stage, "third", attach_request_id=True, attach_links=True))
    await stage.attempt("links alone", attached(stage, "fourth", attach_links=True))
    await stage.attempt("by another policy", worker.start("c", request_id="second"))
    await stage.attempt("callbacks alone", attached(stage, "sixth", attach_completion_callbacks=True))
    stage.record("description", await stage.describe())
    task = await worker.poll()
    await stage.attempt("while a task runs", attached(stage, "seventh", attach_request_id=True))
    await worker.complete(task)
    await worker.complete(await worker.poll(), complete_workflow("done"))
    await stage.history()


@scenario
async def eager_start(stage: Stage) -> None:
    """The first workflow task in the answer to the start."""
    worker = RawWorker(stage)
    answer = await worker.start("input", request_eager_execution=True)
    stage.record("answer", answer)
    await worker.complete(answer.eager_workflow_task, complete_workflow("done"))
    await stage.history()
    late = f"{stage.name}-late"
    delayed = await worker.start(
        workflow_id=late, request_id=late, request_eager_execution=True, workflow_start_delay=1
    )
    stage.record("delayed", delayed)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history(late, name="history of the delayed one")


@scenario
async def signalled_start(stage: Stage) -> None:
    """Started with a signal; signalled alone when it runs; started anew when it has ended."""
    worker = RawWorker(stage)
    memo, header = Memo(), Header()
    memo.fields["note"].CopyFrom(payloads("remember").payloads[0])
    header.fields["trace"].CopyFrom(payloads("00-1").payloads[0])
    first = await stage.attempt(
        "started", signal_with_start(stage, memo=memo, header=header, workflow_run_timeout=50, links=[link(3)])
    )
    await stage.attempt("same request", signal_with_start(stage))
    await stage.attempt("runs", signal_with_start(stage, "more", request_id="second"))
    await stage.attempt("again", signal_with_start(stage, "more", request_id="second"))
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history(run_id=first.run_id, name="first run")
    await stage.attempt("started anew", signal_with_start(stage, "anew", request_id="third"))
    await stage.history(name="second run")
    # Not described: Temporal says that the start is event 2, since its request id is also the signal's.
    terminate = signal_with_start(
        stage, "terminates", request_id="fourth", workflow_id_conflict_policy=TERMINATE_EXISTING
    )
    await stage.attempt("terminates", terminate)
    await stage.history(name="third run")
    fail = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL
    await stage.attempt("fail", signal_with_start(stage, request_id="fifth", workflow_id_conflict_policy=fail))


@scenario
async def signalled_start_policies(stage: Stage) -> None:
    """Reuse policies, a start delay, and requests that are refused."""
    worker = RawWorker(stage)
    policies = WorkflowIdReusePolicy
    reject = policies.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    failed = policies.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    terminate = policies.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
    await signal_with_start(stage, request_id="1")
    await stage.attempt(
        "terminate if running", signal_with_start(stage, request_id="2", workflow_id_reuse_policy=terminate)
    )
    await stage.attempt("reject", signal_with_start(stage, request_id="3", workflow_id_reuse_policy=reject))
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.attempt("reject after", signal_with_start(stage, request_id="4", workflow_id_reuse_policy=reject))
    await stage.attempt("failed only", signal_with_start(stage, request_id="5", workflow_id_reuse_policy=failed))
    late = f"{stage.name}-late"
    await signal_with_start(stage, workflow_id=late, request_id=late, workflow_start_delay=1)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history(late, name="delayed")
    cron = f"{stage.name}-cron"
    await signal_with_start(stage, workflow_id=cron, request_id=cron, cron_schedule="@every 1s")
    await worker.complete(await worker.poll(), fail_workflow(application_failure("no")))
    await stage.client.get_workflow_handle(cron).terminate()
    for name, fields in {
        "no signal name": {"signal_name": ""},
        "long signal name": {"signal_name": "x" * 1001},
        "no workflow id": {"workflow_id": ""},
        "bad cron": {"cron_schedule": "x"},
        "cron and delay": {"cron_schedule": "@daily", "workflow_start_delay": 1},
        "large signal": {"signal_input": payloads("x" * (2 * 1024 * 1024 + 1))},
        "large input": {"input": payloads("x" * (2 * 1024 * 1024 + 1))},
        "long request id": {"request_id": "x" * 1001},
        "both policies": {"workflow_id_reuse_policy": 4, "workflow_id_conflict_policy": 1},
    }.items():
        await stage.attempt(name, signal_with_start(stage, **{"request_id": name, **fields}))


@scenario
async def refused_attachments(stage: Stage) -> None:
    """Links and priorities that are refused, and long metadata that is not."""

    async def attempt(name: str, change: Any) -> None:
        request = start_request(stage, request_id=name, workflow_id=f"{stage.name}-{name}")
        change(request)
        await stage.attempt(name, stage.service.start_workflow_execution(request))

    await attempt("many links", lambda request: request.links.extend(link(1) for _ in range(11)))
    await attempt("empty link", lambda request: request.links.append(Link()))
    long = Payload(data=b"x" * 401)
    await attempt("long summary", lambda request: request.user_metadata.summary.CopyFrom(long))
    await attempt("bad priority", lambda request: setattr(request.priority, "priority_key", -1))
    await attempt("long fairness key", lambda request: setattr(request.priority, "fairness_key", "x" * 65))
    await attempt("bad weight", lambda request: setattr(request.priority, "fairness_weight", -1))


@scenario
async def signals_during_a_start_delay(stage: Stage) -> None:
    """A signal is recorded and does not end the delay; a cancel request waits, too."""
    worker = RawWorker(stage)
    await worker.start(workflow_start_delay=2)
    await stage.client.get_workflow_handle(stage.name).signal("early")
    await stage.history(name="while it waits")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    other = f"{stage.name}-cancelled"
    await worker.start(workflow_id=other, request_id=other, workflow_start_delay=3)
    request = RequestCancelWorkflowExecutionRequest(namespace=stage.client.namespace)
    request.workflow_execution.workflow_id = other
    await stage.service.request_cancel_workflow_execution(request)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history(other, name="cancelled")
