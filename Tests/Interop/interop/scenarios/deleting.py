"""Deletion of workflow executions: running, closed, earlier and later runs, and what a client sees of it."""

import time
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from ..raw import RawWorker, complete_workflow, schedule_activity
from ..stage import Stage
from . import scenario
from .workflows import MISSING_RUN, attempt_all, requests


async def delete(stage: Stage, run_id: str = "", **fields: Any) -> Any:
    request = DeleteWorkflowExecutionRequest(namespace="default")
    execution = WorkflowExecution(workflow_id=stage.name, run_id=run_id)
    request.workflow_execution.CopyFrom(fields.pop("execution", execution))
    for name, value in fields.items():
        setattr(request, name, value)
    return await stage.service.delete_workflow_execution(request)


async def until_gone(stage: Stage, run_id: str) -> None:
    """The Temporal server deletes a closed run after a while; Sagamore has deleted it when it answers."""

    async def is_gone() -> bool:
        try:
            await stage.describe(run_id=run_id)
        except RPCError as error:
            return error.status == RPCStatusCode.NOT_FOUND
        return False

    await stage.until(is_gone)


@scenario
async def deletion_of_a_running_run(stage: Stage) -> None:
    """A run with a task that a worker holds and a running activity; every request for it afterwards."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(await worker.poll(), schedule_activity("a", stage, start_to_close_timeout=60))
    activity = await worker.poll_activity()
    await stage.client.get_workflow_handle(stage.name).signal("s")
    task = await worker.poll()
    stage.record("answer", await delete(stage))
    await until_gone(stage, started.run_id)
    for situation, run_id in (("deleted", ""), ("deleted run", started.run_id)):
        await attempt_all(stage, situation, requests(stage, stage.name, run_id))
    await stage.attempt("deleted again", delete(stage))
    await stage.attempt("deleted run again", delete(stage, started.run_id))
    await stage.attempt("completion of the task", worker.complete(task, complete_workflow()))
    await stage.attempt("completion of the activity", worker.complete_activity(activity))
    await stage.attempt("heartbeat of the activity", worker.heartbeat(activity))
    again = await worker.start(request_id="second")
    stage.record("started again", again.started)
    await stage.history(name="of the next run")


@scenario
async def deletion_of_a_closed_run(stage: Stage) -> None:
    """A closed run, by its id and without; the workflow id is used again."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(await worker.poll(), complete_workflow("end"))
    stage.record("answer", await delete(stage, started.run_id))
    await until_gone(stage, started.run_id)
    await stage.attempt("deleted again", delete(stage))
    await stage.attempt("deleted run again", delete(stage, started.run_id))
    await attempt_all(stage, "deleted", requests(stage, stage.name))
    started = await worker.start()
    stage.record("the same request id starts a run", started.started)
    await worker.complete(await worker.poll(), complete_workflow("end"))
    stage.record("answer without a run id", await delete(stage))
    await until_gone(stage, started.run_id)


@scenario
async def deletion_of_the_current_of_two_runs(stage: Stage) -> None:
    """The later of two closed runs is deleted: what the workflow id means then."""
    worker = RawWorker(stage)
    first = await worker.start()
    await worker.complete(await worker.poll(), complete_workflow("first"))
    second = await worker.start(request_id="second")
    await worker.complete(await worker.poll(), complete_workflow("second"))
    await delete(stage)
    await until_gone(stage, second.run_id)
    calls = requests(stage, stage.name)
    del calls["query"]
    await attempt_all(stage, "current", calls)
    calls = requests(stage, stage.name, first.run_id)
    del calls["query"]
    await attempt_all(stage, "first", calls)
    third = await worker.start(workflow_id_reuse_policy=3, request_id="third")
    stage.record("a start that refuses duplicates", third.started)
    stage.record("first still", (await stage.describe(run_id=first.run_id)).workflow_execution_info.status)
    await delete(stage, first.run_id)
    await until_gone(stage, first.run_id)
    stage.record("third still", (await stage.describe()).workflow_execution_info.status)


@scenario
async def deletion_of_the_earlier_of_two_runs(stage: Stage) -> None:
    """The earlier of two runs is deleted while the later one runs."""
    worker = RawWorker(stage)
    first = await worker.start()
    await worker.complete(await worker.poll(), complete_workflow("first"))
    await worker.start(request_id="second")
    await delete(stage, first.run_id)
    await until_gone(stage, first.run_id)
    await worker.complete(await worker.poll(), complete_workflow("second"))
    await stage.history()


@scenario
async def deletion_refused(stage: Stage) -> None:
    """Missing workflows, runs, namespaces; malformed ids."""
    await stage.attempt("missing workflow", delete(stage))
    await RawWorker(stage).start()
    await stage.attempt("missing run", delete(stage, MISSING_RUN))
    await stage.attempt("malformed run id", delete(stage, "x"))
    await stage.attempt("no workflow id", delete(stage, execution=WorkflowExecution()))
    await stage.attempt("no namespace", delete(stage, namespace=""))
    await stage.attempt("unknown namespace", delete(stage, namespace="none"))
    await stage.attempt(
        "no execution", stage.service.delete_workflow_execution(DeleteWorkflowExecutionRequest(namespace="default"))
    )
    long = WorkflowExecution(workflow_id="x" * 1001)
    await stage.attempt("long workflow id", delete(stage, execution=long))


@scenario
async def deletion_takes_little_time(stage: Stage) -> None:
    """A running run is deleted at once."""
    worker = RawWorker(stage)
    await worker.start()
    began = time.monotonic()
    await delete(stage)
    stage.record("within a second", time.monotonic() - began < 1)
