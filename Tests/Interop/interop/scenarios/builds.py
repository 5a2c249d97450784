"""The builds of workers: what runs tell of them, and resets to where one began."""

from dataclasses import replace
from typing import Any

from temporalio.api.batch.v1 import BatchOperationReset
from temporalio.api.common.v1 import ResetOptions, WorkerVersionStamp
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest, SignalWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from ..raw import RawWorker
from ..stage import Stage
from . import scenario
from .batches import batch, ended, shown
from .chains import continue_as_new
from .children import start_child
from .visibility import found, own_namespace, start, until_listed


def stamp(build: str) -> dict[str, Any]:
    return {"worker_version_stamp": WorkerVersionStamp(build_id=build)}


async def done(stage: Stage, id: str, *commands: Any, **fields: Any) -> Any:
    """Completes the next workflow task of a run."""
    worker = RawWorker(replace(stage, name=id))
    return await worker.complete(await worker.poll(), *commands, **fields)


async def again(stage: Stage, id: str, *commands: Any, **fields: Any) -> Any:
    """Lets a workflow task come, and completes it."""
    signal = SignalWorkflowExecutionRequest(namespace=stage.client.namespace, signal_name="again")
    signal.workflow_execution.workflow_id = id
    await stage.service.signal_workflow_execution(signal)
    return await done(stage, id, *commands, **fields)


async def listed(stage: Stage, query: str, count: int) -> Any:
    """The search attributes of the runs that a filter describes."""
    await until_listed(stage, query, count)
    request = ListWorkflowExecutionsRequest(namespace=stage.client.namespace, query=query)
    answer = await stage.service.list_workflow_executions(request)
    return {
        f"{each.execution.workflow_id} {each.status}": stage.normaliser.message(each.search_attributes)
        for each in answer.executions
    }


@scenario
async def builds_of_workers(stage: Stage) -> None:
    """Builds that come and go, without a name, with a checksum beside it, and in a run that continues."""
    own = await own_namespace(stage)
    await start(own, "named", "T")
    stage.record("none yet", await own.describe("named"))
    await done(own, "named", **stamp("b"))
    stage.record("one", await own.describe("named"))
    await again(own, "named", **stamp("a"))
    await again(own, "named", **stamp("b"))
    await again(own, "named", **stamp("a"), binary_checksum="sum")
    await again(own, "named", binary_checksum="another")
    stage.record("several", await own.describe("named"))
    await again(own, "named", continue_as_new(), **stamp("c"))
    await done(own, "named", **stamp("b"))
    await again(own, "named", **stamp("d"))
    stage.record("continued", await own.describe("named"))
    await start(own, "plain", "T")
    await done(own, "plain")
    stage.record("unnamed", await own.describe("plain"))
    await start(own, "busy", "T")
    await done(own, "busy", start_child(own, "child"), **stamp("a"))
    # A signal could come before the child's start or behind it: the start lets the next task come itself.
    await own.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_STARTED" in types, "busy")
    await done(own, "busy", **stamp("b"))
    stage.record("with a child", await own.describe("busy"))
    await start(own, "waiting", "T")
    # The Temporal server's lists are late.
    for query, count in (
        ("BuildIds = 'unversioned'", 4),
        ("BuildIds = 'unversioned:b'", 3),
        ("BuildIds = 'unversioned:c'", 1),
        ("BuildIds = 'unversioned:d'", 1),
        ("BinaryChecksums = 'another'", 1),
    ):
        await until_listed(own, query, count)
    stage.record("listed", await listed(own, "WorkflowType = 'T'", 5))
    for query in (
        "BuildIds = 'unversioned'",
        "BuildIds = 'unversioned:a'",
        "BuildIds IN ('unversioned:d', 'unversioned:b')",
        "BuildIds != 'unversioned:a' AND WorkflowType = 'T'",
        "BuildIds IS NULL AND WorkflowType = 'T'",
        "BinaryChecksums = 'sum'",
        "BinaryChecksums IS NOT NULL AND BuildIds = 'unversioned:a'",
    ):
        stage.record(query, await found(own, query))


async def builds(stage: Stage, id: str) -> None:
    """A chain of two runs, with builds a, b in the first and c in the second."""
    await start(stage, id, "T")
    await done(stage, id, **stamp("a"))
    await again(stage, id, **stamp("b"))
    await again(stage, id, continue_as_new(), **stamp("b"))
    await done(stage, id, **stamp("c"))
    await again(stage, id, **stamp("c"))


@scenario
async def resets_to_builds(stage: Stage) -> None:
    """Batches that go back to where a build began, in this run or in an earlier one."""
    own = await own_namespace(stage)
    ways: dict[str, tuple[str, bool]] = {
        "this run": ("c", False),
        "an earlier run": ("b", False),
        "this run only": ("c", True),
        "not an earlier run": ("a", True),
        "unknown": ("x", False),
    }
    for name, (build, only_this) in ways.items():
        id = name.replace(" ", "-")
        await builds(own, id)
        query = f"WorkflowId = '{id}' AND ExecutionStatus = 'Running'"
        await until_listed(own, query, 1)
        options = ResetOptions(build_id=build, current_run_only=only_this)
        reset = batch(own, f"job {id}", visibility_query=query, reset_operation=BatchOperationReset(options=options))
        stage.record(name, shown(await ended(own, reset)))
        handle: WorkflowHandle[Any, Any] = own.client.get_workflow_handle(id)
        stage.record(f"{name}: after", await own.describe(handle.id))
