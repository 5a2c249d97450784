"""Update-with-start (ExecuteMultiOperation), answered without an SDK: which runs it starts, and what it refuses."""

import asyncio
from typing import Any

from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.workflowservice.v1 import ExecuteMultiOperationRequest

from ..raw import (
    RawWorker,
    application_failure,
    complete_workflow,
    fail_workflow,
    nothing_shows,
    payloads,
    set_fields,
    start_request,
    start_timer,
)
from ..stage import Stage
from ..updating import ACCEPTED, ADMITTED, COMPLETED, acceptance, completion, order, record_messages, update_request
from ..updating import rejection as rejected
from . import scenario

FAIL = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL
USE_EXISTING = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
TERMINATE = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING


def both(
    stage: Stage, id: str, *, wait: int | None = COMPLETED, update: dict[str, Any] | None = None, **start: Any
) -> ExecuteMultiOperationRequest:
    """A request to start the scenario's workflow and to update it; `update` has fields of that operation."""
    request = ExecuteMultiOperationRequest(namespace=stage.client.namespace)
    request.operations.add().start_workflow.CopyFrom(start_request(stage, **start))
    operation = request.operations.add().update_workflow
    operation.CopyFrom(update_request(stage, id, wait=wait))
    set_fields(operation, update or {})
    return request


def ask(stage: Stage, id: str, **fields: Any) -> "asyncio.Task[Any]":
    return asyncio.create_task(stage.service.execute_multi_operation(both(stage, id, **fields)))


async def accept(worker: RawWorker, task: Any, *commands: Any, result: str | None = "done", **fields: Any) -> None:
    """Accepts the update of a task, and completes it if there is a result."""
    (message,) = task.messages
    answers = [acceptance(message)]
    if result is not None:
        answers.append(completion(message.protocol_instance_id, result))
    await worker.complete(task, *map(order, answers), *commands, messages=answers, **fields)


async def served(stage: Stage, worker: RawWorker, name: str, call: "asyncio.Task[Any]", *commands: Any) -> None:
    """Accepts and completes the update of a call, and keeps its answer."""
    task = await worker.poll()
    record_messages(stage, f"{name}: task", task)
    await accept(worker, task, *commands)
    await stage.attempt(name, call)


@scenario
async def update_with_start(stage: Stage) -> None:
    """A new run with an update in its first task; then the same and others while it runs."""
    worker = RawWorker(stage)
    call = ask(stage, "u-1")
    await served(stage, worker, "new", call)
    await stage.history(name="history of the new run")
    await stage.attempt("the same again", ask(stage, "u-1"))
    await stage.attempt("the same update, another start", ask(stage, "u-1", request_id="other"))
    await stage.attempt(
        "the same update, existing",
        ask(stage, "u-1", request_id="other", workflow_id_conflict_policy=USE_EXISTING),
    )
    await stage.attempt("another update, another start", ask(stage, "u-2", request_id="other"))
    await served(stage, worker, "another update, the same start", ask(stage, "u-3"))
    existing = ask(stage, "u-4", request_id="other", workflow_id_conflict_policy=USE_EXISTING)
    await served(stage, worker, "another update, existing", existing)
    await stage.history()
    stage.record("description", await stage.describe())


@scenario
async def update_with_start_after_the_close(stage: Stage) -> None:
    """What the closed run knows of the start and of the update, with each policy."""
    worker = RawWorker(stage)
    await served(stage, worker, "new", ask(stage, "u-1"), complete_workflow())
    await stage.attempt("the same again", ask(stage, "u-1"))
    policies = WorkflowIdReusePolicy
    reject = policies.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    failed = policies.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    await stage.attempt("the same start, another update", ask(stage, "u-2"))
    await stage.attempt("reject", ask(stage, "u-2", request_id="2", workflow_id_reuse_policy=reject))
    await stage.attempt("failed only", ask(stage, "u-2", request_id="3", workflow_id_reuse_policy=failed))
    await stage.attempt("same update, reject", ask(stage, "u-1", request_id="2", workflow_id_reuse_policy=reject))
    await stage.attempt("the same update, another start", ask(stage, "u-1", request_id="4"))
    again = ask(stage, "u-2", request_id="5")
    await served(stage, worker, "another update, another start", again, fail_workflow(application_failure("no")))
    again = ask(stage, "u-1", request_id="6", workflow_id_reuse_policy=failed)
    await served(stage, worker, "after a failed run", again)
    await stage.history()


@scenario
async def update_with_start_of_a_running_workflow(stage: Stage) -> None:
    """The conflict policies, while a task runs and while none does."""
    worker = RawWorker(stage)
    await worker.start()
    task = await worker.poll()
    existing = ask(stage, "u-1", request_id="1", workflow_id_conflict_policy=USE_EXISTING)
    await stage.attempt("fails while a task runs", ask(stage, "u-0", request_id="0"))
    await worker.complete(task, start_timer("t", 60))
    await served(stage, worker, "sent while a task ran", existing)
    await stage.attempt("fails", ask(stage, "u-2", request_id="2", workflow_id_conflict_policy=FAIL))
    ended = ask(stage, "u-3", request_id="3", workflow_id_conflict_policy=TERMINATE)
    await served(stage, worker, "terminates", ended)
    await stage.history()
    options = {"attach_request_id": True, "attach_links": True}
    request = both(stage, "u-4", request_id="4", workflow_id_conflict_policy=USE_EXISTING)
    for name, value in options.items():
        setattr(request.operations[0].start_workflow.on_conflict_options, name, value)
    call = asyncio.create_task(stage.service.execute_multi_operation(request))
    await served(stage, worker, "attached", call)
    await stage.history(name="history with an attached request")


@scenario
async def update_with_start_stages(stage: Stage) -> None:
    """Waits for acceptance, for nothing, and for what comes too late."""
    worker = RawWorker(stage)
    call = ask(stage, "u-1", wait=ACCEPTED)
    task = await worker.poll()
    await accept(worker, task, result=None)
    await stage.attempt("accepted", call)
    await stage.attempt("accepted again", ask(stage, "u-1", wait=ACCEPTED))
    await stage.attempt("accepted, another start", ask(stage, "u-1", wait=ACCEPTED, request_id="other"))
    await stage.attempt("admitted", ask(stage, "u-2", wait=ADMITTED))
    await stage.history()


@scenario
async def update_with_start_rejected(stage: Stage) -> None:
    """A rejected update: its run was started, and goes on."""
    worker = RawWorker(stage)
    call = ask(stage, "u-1")
    task = await worker.poll()
    await worker.complete(task, messages=[rejected(task.messages[0], application_failure("not now"))])
    await stage.attempt("rejected", call)
    await stage.history()
    await served(stage, worker, "the same again", ask(stage, "u-1"))
    await stage.history(name="history afterwards")


@scenario
async def update_with_start_of_a_run_that_ends(stage: Stage) -> None:
    """The first task ends the run and does not answer the update."""
    worker = RawWorker(stage)
    call = ask(stage, "u-1")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.attempt("completed", call)
    call = ask(stage, "u-2", request_id="2")
    await worker.poll()
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.attempt("terminated", call)
    await stage.history()
    await worker.start(request_id="3")
    task = await worker.poll()
    call = ask(stage, "u-3", request_id="4", workflow_id_conflict_policy=USE_EXISTING)
    await nothing_shows(0.5)
    await worker.complete(task, complete_workflow())
    await served(stage, worker, "completed, existing", call)


@scenario
async def update_with_start_refused(stage: Stage) -> None:
    """Requests that are refused, and by which words."""
    worker = RawWorker(stage)

    async def attempt(name: str, change: Any = None, **fields: Any) -> None:
        request = both(stage, "u-1", **{"request_id": name, **fields})
        if change:
            change(request)
        await stage.attempt(name, stage.service.execute_multi_operation(request))

    def swap(request: ExecuteMultiOperationRequest) -> None:
        first = ExecuteMultiOperationRequest.Operation()
        first.CopyFrom(request.operations[0])
        request.operations[0].CopyFrom(request.operations[1])
        request.operations[1].CopyFrom(first)

    def start(request: ExecuteMultiOperationRequest) -> Any:
        return request.operations[0].start_workflow

    def update(request: ExecuteMultiOperationRequest) -> Any:
        return request.operations[1].update_workflow

    await attempt("no operations", lambda request: request.ClearField("operations"))
    await attempt("a start alone", lambda request: request.operations.pop())
    await attempt("an update alone", lambda request: request.operations.pop(0))
    await attempt("two starts", lambda request: request.operations[1].CopyFrom(request.operations[0]))
    await attempt("two updates", lambda request: request.operations[0].CopyFrom(request.operations[1]))
    await attempt("an update first", swap)
    await attempt("three", lambda request: request.operations.append(request.operations[1]))
    await attempt("an empty operation", lambda request: request.operations[1].Clear())
    await attempt("no namespace", lambda request: request.ClearField("namespace"))
    await attempt("unknown namespace", lambda request: setattr(request, "namespace", "nope"))
    await attempt("other namespace of a start", lambda request: setattr(start(request), "namespace", "nope"))
    await attempt("other namespace of an update", lambda request: setattr(update(request), "namespace", "nope"))
    await attempt(
        "both are wrong",
        lambda request: [start(request).ClearField("task_queue"), update(request).request.ClearField("meta")],
    )
    await attempt(
        "other workflow", lambda request: setattr(update(request).workflow_execution, "workflow_id", "other")
    )
    await attempt("no workflow id", lambda request: setattr(start(request), "workflow_id", ""))
    await attempt("no workflow id of an update", lambda request: update(request).ClearField("workflow_execution"))
    await attempt("run id", lambda request: setattr(update(request).workflow_execution, "run_id", "x"))
    await attempt("first run id", lambda request: setattr(update(request), "first_execution_run_id", "x"))
    await attempt("cron", cron_schedule="@daily")
    await attempt("eager", request_eager_execution=True)
    await attempt("start delay", workflow_start_delay=1)
    await attempt("no type", lambda request: start(request).ClearField("workflow_type"))
    await attempt("no queue", lambda request: start(request).ClearField("task_queue"))
    await attempt("both policies", workflow_id_reuse_policy=4, workflow_id_conflict_policy=1)
    await attempt("no meta", lambda request: update(request).request.ClearField("meta"))
    await attempt("no input", lambda request: update(request).request.ClearField("input"))
    await attempt("no name", lambda request: update(request).request.input.ClearField("name"))
    await attempt("long update id", lambda request: setattr(update(request).request.meta, "update_id", "x" * 1001))
    await attempt("no request", lambda request: update(request).ClearField("request"))
    await attempt("large input", input=payloads("x" * (2 * 1024 * 1024 + 1)))
    await stage.attempt("none was started", stage.describe())
    request = both(stage, "", request_id="")
    update(request).namespace = ""
    call = asyncio.create_task(stage.service.execute_multi_operation(request))
    await served(stage, worker, "without ids and namespace", call)
