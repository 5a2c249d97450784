"""Signals, requests for workflows that are missing or closed, timeouts of workflows, reading histories."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    QueryWorkflowRequest,
    RequestCancelWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from ..normalise import followed
from ..raw import RawWorker, complete_workflow, payloads
from ..stage import Stage
from . import scenario

MISSING_RUN = "11111111-2222-4333-8444-555555555555"


def requests(stage: Stage, workflow_id: str, run_id: str = "", namespace: str = "default") -> dict[str, Any]:
    """One request of each kind for an existing execution, as calls that are not yet awaited."""
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    service = stage.service
    query = QueryWorkflowRequest(namespace=namespace, execution=execution)
    query.query.query_type = "state"
    return {
        "signal": lambda: service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(namespace=namespace, workflow_execution=execution, signal_name="s")
        ),
        "cancel": lambda: service.request_cancel_workflow_execution(
            RequestCancelWorkflowExecutionRequest(namespace=namespace, workflow_execution=execution)
        ),
        "terminate": lambda: service.terminate_workflow_execution(
            TerminateWorkflowExecutionRequest(namespace=namespace, workflow_execution=execution)
        ),
        "describe": lambda: service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=namespace, execution=execution)
        ),
        "history": lambda: service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(namespace=namespace, execution=execution)
        ),
        "query": lambda: service.query_workflow(query),
    }


async def attempt_all(stage: Stage, situation: str, calls: dict[str, Callable[[], Any]]) -> None:
    for name, call in calls.items():
        await stage.attempt(f"{situation}: {name}", call())


@scenario
async def missing_workflow(stage: Stage) -> None:
    """Every request for a workflow, a run or a namespace that is not there; malformed ids."""
    await RawWorker(stage).start()
    await attempt_all(stage, "missing workflow", requests(stage, "no-such-workflow"))
    await attempt_all(stage, "missing run", requests(stage, stage.name, MISSING_RUN))
    await attempt_all(stage, "malformed run id", requests(stage, stage.name, "not-a-uuid"))
    await attempt_all(stage, "no workflow id", requests(stage, ""))
    await attempt_all(stage, "no namespace", requests(stage, stage.name, namespace=""))
    await attempt_all(stage, "unknown namespace", requests(stage, stage.name, namespace="no-such-namespace"))
    await attempt_all(stage, "long workflow id", requests(stage, "x" * 1001))


@scenario
async def closed_workflow(stage: Stage) -> None:
    """Every request for a workflow that has completed, by its id and by its run's."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(await worker.poll(), complete_workflow("end"))
    for situation, run_id in (("closed", ""), ("closed run", started.run_id)):
        calls = requests(stage, stage.name, run_id)
        del calls["query"]
        await attempt_all(stage, situation, calls)


@scenario
async def earlier_run(stage: Stage) -> None:
    """Requests for a run that is closed while a later one runs."""
    worker = RawWorker(stage)
    first = await worker.start()
    await worker.complete(await worker.poll(), complete_workflow("end"))
    await worker.start(request_id="second")
    calls = requests(stage, stage.name, first.run_id)
    del calls["query"]
    await attempt_all(stage, "earlier run", calls)
    await stage.history()


@scenario
async def signals(stage: Stage) -> None:
    """Names, inputs, headers; the same request id again; a signal without a name."""

    async def signal(name: str, request_id: str, *arguments: Any, **fields: Any) -> Any:
        request = SignalWorkflowExecutionRequest(
            namespace="default", signal_name=name, request_id=request_id, identity="signaller", **fields
        )
        request.workflow_execution.workflow_id = stage.name
        if arguments:
            request.input.CopyFrom(payloads(*arguments))
        return await stage.service.signal_workflow_execution(request)

    worker = RawWorker(stage)
    await worker.start()
    stage.record("answer", await signal("one", "r1", {"a": [1, None, "x"]}, 2))
    stage.record("same request id", await signal("one", "r1", "different"))
    await signal("two", "r2")
    await stage.attempt("no name", signal("", "r3"))
    await stage.attempt("long name", signal("x" * 1001, "r4"))
    await signal("without a request id", "")
    await signal("without a request id", "")
    task = await worker.poll()
    await signal("while running", "r5", "first")
    await signal("while running", "r5", "second")
    await signal("one", "r1", "after the task began")
    await worker.complete(task)
    await signal("while running", "r5", "third")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def run_timeout(stage: Stage) -> None:
    """A workflow passes its run timeout while nothing happens."""
    worker = RawWorker(stage)
    await worker.start(workflow_run_timeout=1)
    await worker.complete(await worker.poll())
    await stage.outcome(stage.client.get_workflow_handle(stage.name))
    await stage.history()
    stage.record("status", (await stage.describe()).workflow_execution_info.status)


@scenario
async def execution_timeout(stage: Stage) -> None:
    """A workflow passes its execution timeout while its first task is due, with a signal."""
    worker = RawWorker(stage)
    await worker.start(workflow_execution_timeout=1)
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("s")
    await stage.outcome(handle)
    await stage.history()


@scenario
async def timeout_while_running(stage: Stage) -> None:
    """A workflow passes its run timeout while a worker holds its task and a signal is buffered."""
    worker = RawWorker(stage)
    await worker.start(workflow_run_timeout=2, workflow_task_timeout=2)
    task = await worker.poll()
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("s")
    await stage.outcome(handle)
    await stage.attempt("completion", worker.complete(task, complete_workflow()))
    types = [event["event_type"] for event in await recorded(stage)]
    stage.record("closed by", types[-1])


async def recorded(stage: Stage) -> list[Any]:
    return [stage.normaliser.message(event) for event in (await stage.events()).events]


@scenario
async def terminate_without_reason(stage: Stage) -> None:
    """A termination with nothing but ids, and a second one."""
    worker = RawWorker(stage)
    started = await worker.start()
    request = TerminateWorkflowExecutionRequest(namespace="default")
    request.workflow_execution.workflow_id = stage.name
    request.first_execution_run_id = started.run_id
    stage.record("answer", await stage.service.terminate_workflow_execution(request))
    await stage.attempt("again", stage.service.terminate_workflow_execution(request))
    await stage.history()


@scenario
async def who_terminates(stage: Stage) -> None:
    """A termination with a reason and no identity, and the other way round."""
    worker = RawWorker(stage)
    for number, fields in enumerate(({"reason": "enough"}, {"identity": "somebody"})):
        workflow_id = f"{stage.name}-{number}"
        await worker.start(workflow_id=workflow_id, request_id=workflow_id)
        execution = WorkflowExecution(workflow_id=workflow_id)
        request = TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=execution, **fields)
        await stage.service.terminate_workflow_execution(request)
        history = await stage.history(workflow_id, name=f"history {number}")
        # Not only that there is an identity: here also which one.
        attributes = history.events[-1].workflow_execution_terminated_event_attributes
        stage.record(f"identity {number}", attributes.identity)


@scenario
async def another_first_run(stage: Stage) -> None:
    """Cancel and terminate name the first run of their chain, and it is another one."""
    await RawWorker(stage).start()
    execution = WorkflowExecution(workflow_id=stage.name)
    for name, call, request in (
        ("terminate", stage.service.terminate_workflow_execution, TerminateWorkflowExecutionRequest),
        ("cancel", stage.service.request_cancel_workflow_execution, RequestCancelWorkflowExecutionRequest),
    ):
        await stage.attempt(
            name,
            call(request(namespace="default", workflow_execution=execution, first_execution_run_id=MISSING_RUN)),
        )
    await stage.history()


@scenario
async def pages_of_a_history(stage: Stage) -> None:
    """Three events a page; the close event alone; waiting for an event that comes later."""
    worker = RawWorker(stage)
    await worker.start()
    task = await worker.poll()

    def read(**fields: Any) -> Any:
        request = GetWorkflowExecutionHistoryRequest(namespace="default", **fields)
        request.execution.workflow_id = stage.name
        return stage.service.get_workflow_execution_history(request)

    close_event = HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
    closing = asyncio.create_task(read(wait_new_event=True, history_event_filter_type=close_event))
    # A follower of Temporal is also given the WorkflowTaskStarted of the task that a worker has. Sagamore gives it only
    # what is written: after a crash something else could stand under that id, which the follower had passed already.
    so_far = await read(wait_new_event=True)
    more = asyncio.create_task(read(wait_new_event=True, next_page_token=so_far.next_page_token))
    await worker.complete(task)
    stage.record("waiting", followed(so_far, await more))
    handle = stage.client.get_workflow_handle(stage.name)
    for number in range(4):
        await handle.signal(f"s{number}")
    await worker.complete(await worker.poll(), complete_workflow("end"))
    stage.record("close event, waited for", await closing)
    stage.record("close event", await read(history_event_filter_type=close_event))
    token, sizes = b"", []
    while True:
        page = await read(maximum_page_size=3, next_page_token=token)
        sizes.append([event.event_id for event in page.history.events])
        token = page.next_page_token
        if not token:
            break
    stage.record("events of the pages", [each for page in sizes for each in page])
    await stage.attempt("broken page token", read(next_page_token=b"broken"))
    await stage.attempt("negative page size", read(maximum_page_size=-1))


@scenario
async def unknown_workflow_type(stage: Stage) -> None:
    """A worker of the SDK that does not know the workflow's type fails its task."""
    from .main import Sleeper

    await RawWorker(stage).start()
    async with stage.worker([Sleeper]):
        await stage.until_history(lambda types: "WORKFLOW_TASK_FAILED" in types)
    await stage.client.get_workflow_handle(stage.name).terminate()
    # The transient attempts after the failure come and go; only what is written is compared.
    written = [event for event in await recorded(stage) if event["event_id"] <= 4]
    stage.record("history", written)


@scenario
async def namespaces(stage: Stage) -> None:
    """Describing and registering."""
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest

    service = stage.service
    await stage.attempt("unknown", service.describe_namespace(DescribeNamespaceRequest(namespace="no-such-namespace")))
    await stage.attempt("unnamed", service.describe_namespace(DescribeNamespaceRequest()))
    day = Duration(seconds=86400)
    for name, request in {
        "registered twice": RegisterNamespaceRequest(
            namespace="default", workflow_execution_retention_period=day
        ),
        "without retention": RegisterNamespaceRequest(namespace="interop-no-retention"),
        "without a name": RegisterNamespaceRequest(workflow_execution_retention_period=day),
        "registered": RegisterNamespaceRequest(
            namespace="interop-registered", workflow_execution_retention_period=day, description="d", owner_email="e"
        ),
    }.items():  # fmt: skip
        await stage.attempt(name, service.register_namespace(request))
    described = await service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    stage.record("limits", described.namespace_info.limits)
    stage.record("state", described.namespace_info.state)
    stage.record("retention", described.config.workflow_execution_retention_ttl)
