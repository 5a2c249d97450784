"""Batches: what is refused, and what becomes of the runs."""

from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.empty_pb2 import Empty
from temporalio.api.batch.v1 import (
    BatchOperationCancellation,
    BatchOperationDeletion,
    BatchOperationReset,
    BatchOperationSignal,
    BatchOperationTermination,
    BatchOperationUnpauseActivities,
)
from temporalio.api.common.v1 import Execution, ResetOptions, WorkflowExecution
from temporalio.api.enums.v1 import ExecutionType
from temporalio.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    ListBatchOperationsRequest,
    StartBatchOperationRequest,
    StopBatchOperationRequest,
)
from temporalio.service import RPCError, RPCStatusCode

from ..stage import Stage
from . import scenario
from .visibility import do, found, own_namespace, start, until_listed

RUNNING = 1
ACTIVITY = Execution(type=ExecutionType.EXECUTION_TYPE_ACTIVITY, business_id="x")


def batch(stage: Stage, job: str, **fields: Any) -> StartBatchOperationRequest:
    more: dict[str, Any] = {"namespace": stage.client.namespace, "job_id": job, "reason": "why", **fields}
    return StartBatchOperationRequest(**more)


async def ended(stage: Stage, request: StartBatchOperationRequest) -> Any:
    """Starts a batch, waits for its end, and returns its description."""
    while True:
        try:
            await stage.service.start_batch_operation(request)
            break
        except RPCError as error:
            # The Temporal server counts one that has just ended.
            if error.status != RPCStatusCode.RESOURCE_EXHAUSTED:
                raise
    describe = DescribeBatchOperationRequest(namespace=request.namespace, job_id=request.job_id)

    async def has_ended() -> bool:
        return (await stage.service.describe_batch_operation(describe)).state != RUNNING

    await stage.until(has_ended)
    return await stage.service.describe_batch_operation(describe)


def shown(description: Any) -> dict[str, Any]:
    return {
        "type": description.operation_type,
        "state": description.state,
        "counts": [
            description.total_operation_count,
            description.complete_operation_count,
            description.failure_operation_count,
        ],
        "identity": description.identity,
        "reason": description.reason,
        "query": description.query,
        "has ended": description.HasField("close_time"),
    }


@scenario
async def batches_refused(stage: Stage) -> None:
    """What says too little, or what is not there."""
    own = await own_namespace(stage)
    service, namespace = own.service, own.client.namespace
    query = {"visibility_query": "WorkflowType = 'T'"}
    termination = {"termination_operation": BatchOperationTermination(identity="me")}
    requests: dict[str, StartBatchOperationRequest] = {
        "no reason": batch(own, "j", **query, **termination, reason=""),
        "no runs": batch(own, "j", **termination),
        "no operation": batch(own, "j", **query),
        "no job": batch(own, "", **query, **termination),
        "query and runs": batch(own, "j", **query, **termination, executions=[WorkflowExecution(workflow_id="x")]),
        "a target without a type": batch(own, "j", **termination, target_executions=[Execution(business_id="x")]),
        "an activity": batch(own, "j", **termination, target_executions=[ACTIVITY]),
        "runs and targets": batch(
            own, "j", **termination, target_executions=[ACTIVITY], executions=[WorkflowExecution(workflow_id="x")]
        ),
        "a signal without a name": batch(own, "j", **query, signal_operation=BatchOperationSignal()),
        "no reset type": batch(own, "j", **query, reset_operation=BatchOperationReset()),
        "no reset target": batch(own, "j", **query, reset_operation=BatchOperationReset(options=ResetOptions())),
        "no activities": batch(own, "j", **query, unpause_activities_operation=BatchOperationUnpauseActivities()),
        "an unknown namespace": batch(own, "j", **query, **termination, namespace="nope"),
        "no namespace": batch(own, "j", **query, **termination, namespace=""),
    }
    for name, request in requests.items():
        await stage.attempt(name, service.start_batch_operation(request))
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "describe unknown": lambda: service.describe_batch_operation(
            DescribeBatchOperationRequest(namespace=namespace, job_id="nojob")
        ),
        "describe none": lambda: service.describe_batch_operation(DescribeBatchOperationRequest(namespace=namespace)),
        "stop unknown": lambda: service.stop_batch_operation(
            StopBatchOperationRequest(namespace=namespace, job_id="nojob", reason="r")
        ),
        "stop without a reason": lambda: service.stop_batch_operation(
            StopBatchOperationRequest(namespace=namespace, job_id="nojob")
        ),
        "stop none": lambda: service.stop_batch_operation(
            StopBatchOperationRequest(namespace=namespace, reason="r")
        ),
        "list none": lambda: service.list_batch_operations(ListBatchOperationsRequest(namespace=namespace)),
    }
    for name, call in calls.items():
        await stage.attempt(name, call())


@scenario
async def batches_done(stage: Stage) -> None:
    """Each operation over a few runs: how the batch ends, and what the runs are then."""
    own = await own_namespace(stage)
    for id in ("a-1", "a-2", "a-3", "a-4", "a-5"):
        await start(own, id, "T")
    await do(own, "a-1")
    await until_listed(own, "WorkflowType = 'T'", 5)
    missing = [WorkflowExecution(workflow_id=id) for id in ("a-2", "none")]
    bad = [WorkflowExecution(workflow_id="a-2", run_id="junk"), WorkflowExecution(workflow_id="a-3")]
    everything = "WorkflowType = 'T'"
    steps: dict[str, dict[str, Any]] = {
        "signal": {
            "visibility_query": everything,
            "signal_operation": BatchOperationSignal(signal="s", identity="me"),
        },
        "cancel": {
            "visibility_query": "WorkflowId STARTS_WITH 'a-2'",
            "cancellation_operation": BatchOperationCancellation(identity="me"),
        },
        "reset": {
            "executions": [WorkflowExecution(workflow_id="a-1"), WorkflowExecution(workflow_id="a-3")],
            "reset_operation": BatchOperationReset(identity="me", options=ResetOptions(last_workflow_task=Empty())),
        },
        "terminate some": {
            "visibility_query": "WorkflowId = 'a-4' OR WorkflowId = 'a-5'",
            "termination_operation": BatchOperationTermination(identity="me"),
        },
        "terminate missing": {"executions": missing, "termination_operation": BatchOperationTermination()},
        "terminate targets": {
            "target_executions": [Execution(type=ExecutionType.EXECUTION_TYPE_WORKFLOW, business_id="none")],
            "termination_operation": BatchOperationTermination(),
        },
        "terminate bad": {"executions": bad, "termination_operation": BatchOperationTermination()},
        "terminate closed": {
            "visibility_query": "WorkflowId = 'a-4'",
            "termination_operation": BatchOperationTermination(),
        },
    }
    for name, fields in steps.items():
        stage.record(name, shown(await ended(own, batch(own, name, **fields))))
    await until_listed(own, "ExecutionStatus = 'Running' AND WorkflowType = 'T'", 1)
    stage.record("terminated", await found(own, "ExecutionStatus = 'Terminated'"))
    signals = [
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in (await own.events("a-2")).events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    stage.record("signals", signals)
    delete = batch(
        own, "delete", visibility_query=everything, deletion_operation=BatchOperationDeletion(identity="me")
    )
    stage.record("delete", shown(await ended(own, delete)))
    stop = StopBatchOperationRequest(namespace=own.client.namespace, job_id="delete", reason="r")
    await stage.attempt("stop what has ended", own.service.stop_batch_operation(stop))

    async def all_are_listed() -> bool:
        answer = await own.service.list_batch_operations(ListBatchOperationsRequest(namespace=own.client.namespace))
        return {each.job_id for each in answer.operation_info if each.state != RUNNING} == {*steps, "delete"}

    await stage.until(all_are_listed)
