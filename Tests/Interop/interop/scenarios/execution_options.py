"""UpdateWorkflowExecutionOptions, as far as it needs no versioning."""

from typing import Any

from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest

from ..raw import RawWorker, complete_workflow, schedule_activity
from ..stage import Stage
from . import scenario
from .workflows import MISSING_RUN


async def update(stage: Stage, *paths: str, run_id: str = "", priority: Priority | None = None, **fields: Any) -> Any:
    request = UpdateWorkflowExecutionOptionsRequest(namespace="default", identity="updater")
    request.workflow_execution.CopyFrom(WorkflowExecution(workflow_id=stage.name, run_id=run_id))
    request.update_mask.paths.extend(paths)
    request.workflow_execution_options.SetInParent()
    if priority is not None:
        request.workflow_execution_options.priority.CopyFrom(priority)
    for name, value in fields.items():
        setattr(request, name, value)
    return await stage.service.update_workflow_execution_options(request)


@scenario
async def options_priority(stage: Stage) -> None:
    """The priority as a whole and in parts; what does not change it; descriptions and what is scheduled next."""
    worker = RawWorker(stage)
    await worker.start()
    priority = Priority(priority_key=2, fairness_key="tenant", fairness_weight=2)
    stage.record("set", await update(stage, "priority", priority=priority))
    stage.record("the same again", await update(stage, "priority", priority=priority))
    stage.record("description", await stage.describe())
    stage.record("a part", await update(stage, "priority.priority_key", priority=Priority(priority_key=4)))
    await stage.attempt("in JSON's case", update(stage, "priority.priorityKey", priority=Priority(priority_key=5)))
    stage.record("another part", await update(stage, "priority.fairness_key", priority=Priority(fairness_key="x")))
    stage.record("the weight", await update(stage, "priority.fairness_weight", priority=Priority(fairness_weight=3)))
    stage.record("no path", await update(stage, priority=Priority(priority_key=1)))
    await worker.complete(await worker.poll(), schedule_activity("a", stage, start_to_close_timeout=60))
    task = await worker.poll_activity()
    stage.record("taken away", await update(stage, "priority"))
    stage.record("description at the end", (await stage.describe()).workflow_execution_info)
    await worker.complete_activity(task)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def options_while_a_task_runs(stage: Stage) -> None:
    """A worker holds a workflow task when the options change: the event is buffered or not."""
    worker = RawWorker(stage)
    await worker.start()
    task = await worker.poll()
    await update(stage, "priority", priority=Priority(priority_key=2))
    await worker.complete(task)
    await stage.history()


@scenario
async def options_refused(stage: Stage) -> None:
    """Missing workflows and runs, closed runs, bad masks, bad priorities."""
    await stage.attempt("missing workflow", update(stage, "priority"))
    worker = RawWorker(stage)
    await worker.start()
    await stage.attempt("missing run", update(stage, "priority", run_id=MISSING_RUN))
    await stage.attempt("malformed run", update(stage, "priority", run_id="x"))
    await stage.attempt("no namespace", update(stage, "priority", namespace=""))
    await stage.attempt("unknown path", update(stage, "nothing"))
    await stage.attempt("negative priority", update(stage, "priority", priority=Priority(priority_key=-1)))
    await stage.attempt("high priority", update(stage, "priority", priority=Priority(priority_key=100)))
    await stage.attempt("long fairness key", update(stage, "priority", priority=Priority(fairness_key="x" * 100)))
    await stage.attempt("negative weight", update(stage, "priority", priority=Priority(fairness_weight=-1)))
    request = UpdateWorkflowExecutionOptionsRequest(namespace="default")
    await stage.attempt("no execution", stage.service.update_workflow_execution_options(request))
    request.workflow_execution.workflow_id = stage.name
    await stage.attempt("no mask", stage.service.update_workflow_execution_options(request))
    request.update_mask.paths.append("priority")
    await stage.attempt("no options", stage.service.update_workflow_execution_options(request))
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.attempt("closed", update(stage, "priority", priority=Priority(priority_key=2)))
