"""Queries, answered without an SDK: beside a workflow task and as tasks of their own."""

import asyncio

from temporalio.api.enums.v1 import QueryRejectCondition, QueryResultType
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse, QueryWorkflowRequest

from ..raw import (
    RawWorker,
    nothing_shows,
    payloads,
)
from ..stage import Stage
from . import scenario


@scenario
async def query_beside_a_task(stage: Stage) -> None:
    """A query while a workflow task is due travels with it, after the signal that came before."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll())
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("before")
    query = asyncio.create_task(handle.query("state", "x"))
    await nothing_shows(1)
    task = await worker.poll()
    (query_id,) = task.queries
    stage.record("query", task.queries[query_id])
    stage.record("task without its queries", _without_queries(task))
    result = WorkflowQueryResult(result_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED, answer=payloads("answer"))
    await worker.complete(task, query_results={query_id: result})
    stage.record("result", await query)
    await handle.terminate()
    await stage.history()


@scenario
async def query_only_task(stage: Stage) -> None:
    """A query beside a task whose completion fails it: the caller gets the failure. Nothing stays of it."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll())
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("before")
    query = asyncio.create_task(handle.query("state", "x"))
    await nothing_shows(1)
    task = await worker.poll()
    (query_id,) = task.queries
    result = WorkflowQueryResult(result_type=QueryResultType.QUERY_RESULT_TYPE_FAILED, error_message="no such state")
    await worker.complete(task, query_results={query_id: result})
    await stage.attempt("result", query)
    await handle.terminate()
    await stage.history()


@scenario
async def query_while_running(stage: Stage) -> None:
    """A query that comes while a workflow task runs is asked after its completion, as a task of its own."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll())
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("before")
    running = await worker.poll()
    query = asyncio.create_task(handle.query("state", "x"))
    await nothing_shows(1)
    await worker.complete(running)
    task = await worker.poll()
    stage.record("query task", task)
    await worker.answer(task, "answer")
    stage.record("result", await query)
    await handle.terminate()
    await stage.history()


def _without_queries(task: PollWorkflowTaskQueueResponse) -> PollWorkflowTaskQueueResponse:
    copy = PollWorkflowTaskQueueResponse()
    copy.CopyFrom(task)
    copy.queries.clear()
    return copy


@scenario
async def query_as_a_task(stage: Stage) -> None:
    """A query of an idle workflow is a task of its own: on the sticky queue with no history, else with all of it."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), sticky=True)
    sticky = await worker.sticky_poll()
    query = asyncio.create_task(stage.service.query_workflow(query_request(stage, "state", "x")))
    task = await sticky
    stage.record("sticky query task", task)
    await worker.answer(task, "answer")
    stage.record("answer", await query)
    await stage.attempt("answered again", worker.answer(task, "answer"))
    await stage.client.get_workflow_handle(stage.name).terminate()
    query = asyncio.create_task(stage.service.query_workflow(query_request(stage, "state", "x")))
    # After the end the sticky queue is not asked any more.
    task = await worker.poll()
    stage.record("query task of a closed workflow", task)
    await worker.answer(task, "still there")
    stage.record("answer of a closed workflow", await query)
    for condition in (QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN,
                      QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY):  # fmt: skip
        request = query_request(stage, "state", "x", query_reject_condition=condition)
        await stage.attempt(f"reject condition {condition}", stage.service.query_workflow(request))
    await stage.history()


def query_request(stage: Stage, type: str, *arguments: object, **fields: object) -> QueryWorkflowRequest:
    request = QueryWorkflowRequest(namespace=stage.client.namespace, **fields)  # type: ignore[arg-type]
    request.execution.workflow_id = stage.name
    request.query.CopyFrom(WorkflowQuery(query_type=type, query_args=payloads(*arguments)))
    return request


@scenario
async def query_without_any_task(stage: Stage) -> None:
    """A query of a workflow that was closed before its first task was completed, or even given to a worker."""
    worker = RawWorker(stage)
    await worker.start()
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.attempt("never given", stage.service.query_workflow(query_request(stage, "state")))
    await worker.start(request_id="second")
    await worker.poll()
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.attempt("given", stage.service.query_workflow(query_request(stage, "state")))


@scenario
async def query_before_the_first_task(stage: Stage) -> None:
    """A query of a workflow that no worker has seen waits for its first task."""
    worker = RawWorker(stage)
    await worker.start()
    query = asyncio.create_task(stage.service.query_workflow(query_request(stage, "state")))
    await nothing_shows(1)
    first = await worker.poll()
    stage.record("queries beside the first task", len(first.queries))
    await worker.complete(first)
    task = await worker.poll()
    stage.record("query task", task)
    await worker.answer(task, "answer")
    stage.record("answer", await query)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()
