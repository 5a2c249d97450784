"""Limits of runs and requests, on servers where they are small."""

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Memo, Payload, SearchAttributes
from temporalio.api.enums.v1 import CommandType
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)

from ..raw import (
    RawWorker,
    application_failure,
    complete_workflow,
    fail_workflow,
    payloads,
    record_marker,
    schedule_activity,
    start_request,
    start_timer,
)
from ..stage import Stage
from . import SMALL_LIMITS, small_limits

EVENTS = SMALL_LIMITS["limit.historyCount.error"]
LONG_ID = "x" * (SMALL_LIMITS["limit.maxIDLength"] + 1)
LARGE = "x" * (SMALL_LIMITS["limit.blobSize.error"] + 1)


async def signal(stage: Stage, request_id: str, *arguments: Any, workflow_id: str | None = None, **fields: Any) -> Any:
    request = SignalWorkflowExecutionRequest(
        namespace=stage.client.namespace, signal_name="go", request_id=request_id, input=payloads(*arguments)
    )
    request.workflow_execution.workflow_id = workflow_id or stage.name
    for name, value in fields.items():
        setattr(request, name, value)
    return await stage.service.signal_workflow_execution(request)


async def status(stage: Stage, workflow_id: str | None = None) -> None:
    stage.record("status", (await stage.describe(workflow_id)).workflow_execution_info.status)


@small_limits
async def too_many_signals(stage: Stage) -> None:
    """A run accepts so many signals and no more, also later; a repeated one is accepted again."""
    worker = RawWorker(stage)
    await worker.start()
    for number in range(SMALL_LIMITS["history.maximumSignalsPerExecution"] + 2):
        await stage.attempt(f"signal {number}", signal(stage, str(number)))
    await stage.attempt("repeated", signal(stage, "1"))
    await worker.complete(await worker.poll())
    await stage.attempt("later", signal(stage, "later"))
    await stage.history()
    await status(stage)


@small_limits
async def too_many_events_by_tasks(stage: Stage) -> None:
    """Workflow tasks, one after the other: continue-as-new is suggested, then the run is terminated."""
    worker = RawWorker(stage)
    await worker.start()
    for number in range(EVENTS):
        task = await worker.poll()
        done = await stage.attempt(f"task {number}", worker.complete(task, force_create_new_workflow_task=True))
        if done is None:
            break
    await stage.attempt("signal", signal(stage, "late"))
    await stage.history()
    await status(stage)


async def almost_full(stage: Stage, worker: RawWorker, *commands: Command, room: int) -> None:
    """A run whose history has room for so many events."""
    await worker.start()
    timers = [start_timer(str(number), 1000) for number in range(EVENTS - room - 4 - len(commands))]
    await worker.complete(await worker.poll(), *commands, *timers)


@small_limits
async def too_many_events_by_signals(stage: Stage) -> None:
    """The signal and its workflow task would exceed the limit together."""
    worker = RawWorker(stage)
    await almost_full(stage, worker, room=1)
    await stage.attempt("signal", signal(stage, "one"))
    await stage.attempt("another", signal(stage, "two"))
    await stage.history()
    await status(stage)


@small_limits
async def too_many_events_by_activity(stage: Stage) -> None:
    """The result of an activity exceeds the limit."""
    worker = RawWorker(stage)
    await almost_full(stage, worker, schedule_activity("a", stage, start_to_close_timeout=60), room=2)
    await stage.attempt("completion", worker.complete_activity(await worker.poll_activity(), "done"))
    await stage.history()
    await status(stage)


@small_limits
async def too_many_events_by_timer(stage: Stage) -> None:
    """A timer that fires exceeds the limit."""
    worker = RawWorker(stage)
    await almost_full(stage, worker, start_timer("short", 0.5), room=1)
    await stage.until_history(lambda types: types[-1] == "WORKFLOW_EXECUTION_TERMINATED")
    await stage.history()


@small_limits
async def closing_at_the_limit(stage: Stage) -> None:
    """A run may complete beyond the limit."""
    worker = RawWorker(stage)
    await almost_full(stage, worker, room=3)
    await signal(stage, "one")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await status(stage)


@small_limits
async def no_room_for_a_task(stage: Stage) -> None:
    """The history is full when a workflow task would start."""
    worker = RawWorker(stage)
    await almost_full(stage, worker, room=2)
    await signal(stage, "one")
    poll = asyncio.create_task(worker.poll())
    await stage.until_history(lambda types: types[-1] == "WORKFLOW_EXECUTION_TERMINATED")
    poll.cancel()
    await stage.history()


@small_limits
async def history_too_large(stage: Stage) -> None:
    """The transition that exceeds the size is the last but one: the next workflow task doesn't start."""
    worker = RawWorker(stage)
    await worker.start()
    for number in range(4):
        await signal(stage, str(number), "x" * 3_500)
    task = await worker.poll()
    markers = [record_marker(str(number), data="x" * 3_500) for number in range(3)]
    await stage.attempt("completion", worker.complete(task, *markers, force_create_new_workflow_task=True))
    await stage.attempt("signal", signal(stage, "last"))
    await stage.history()
    await status(stage)


@small_limits
async def continue_as_new_suggested(stage: Stage) -> None:
    """By size, and by both."""
    worker = RawWorker(stage)
    await worker.start()
    await signal(stage, "1", "x" * 3_500)
    await worker.complete(await worker.poll())
    await signal(stage, "2", "x" * 3_500)
    await worker.complete(await worker.poll(), start_timer("a", 1000))
    await signal(stage, "3")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@small_limits
async def too_many_pending_activities(stage: Stage) -> None:
    """Within one task, and over two."""
    worker = RawWorker(stage)
    await worker.start()

    def activity(id: str) -> Command:
        return schedule_activity(id, stage, start_to_close_timeout=60)

    await stage.attempt("at once", worker.complete(await worker.poll(), *map(activity, "abcd")))
    await worker.complete(await worker.poll(), *map(activity, "abc"))
    await signal(stage, "go")
    await stage.attempt("later", worker.complete(await worker.poll(), activity("d")))
    await stage.history()


def upsert_memo(**sizes: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES)
    command.modify_workflow_properties_command_attributes.upserted_memo.CopyFrom(memo(**sizes))
    return command


def memo(**sizes: int) -> Memo:
    return Memo(fields={name: payloads("x" * size).payloads[0] for name, size in sizes.items()})


def keyword(value: str) -> Payload:
    payload: Payload = payloads(value).payloads[0]
    payload.metadata["type"] = b"Keyword"
    return payload


def upsert_attribute(value: str) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
    attributes = command.upsert_workflow_search_attributes_command_attributes.search_attributes
    attributes.indexed_fields["Limited1"].CopyFrom(keyword(value))
    return command


@small_limits
async def commands_with_too_much(stage: Stage) -> None:
    """Commands over the limits of payloads, memo and search attributes: each terminates its run."""
    worker = RawWorker(stage)
    commands: dict[str, Callable[[], list[Command]]] = {
        "activity": lambda: [schedule_activity("a", stage, start_to_close_timeout=60, input=payloads(LARGE))],
        "marker": lambda: [record_marker("m", data=LARGE)],
        "result": lambda: [complete_workflow(LARGE)],
        "failure": lambda: [fail_workflow(application_failure(LARGE))],
        "memo": lambda: [upsert_memo(a=1_100)],
        "memo in two": lambda: [upsert_memo(a=600), upsert_memo(b=600)],
        "search attribute": lambda: [upsert_attribute("x" * 120)],
    }
    for name, make in commands.items():
        await worker.start(workflow_id=f"{stage.name} {name}", request_id=name)
        await stage.attempt(name, worker.complete(await worker.poll(), *make()))
        await stage.history(f"{stage.name} {name}", name=f"history of {name}")


@small_limits
async def memo_that_grows(stage: Stage) -> None:
    """The memo of the start counts; one that is replaced doesn't grow."""
    worker = RawWorker(stage)
    await worker.start(memo=memo(a=600))
    await worker.complete(await worker.poll(), upsert_memo(a=700))
    await signal(stage, "go")
    await stage.attempt("more", worker.complete(await worker.poll(), upsert_memo(b=600)))
    await stage.history()


@small_limits
async def empty_memo(stage: Stage) -> None:
    """A change of the memo without a memo."""
    worker = RawWorker(stage)
    await worker.start()
    command = Command(command_type=CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES)
    command.modify_workflow_properties_command_attributes.SetInParent()
    await stage.attempt("completion", worker.complete(await worker.poll(), command))
    await stage.history()


def attributes(*names: str, size: int = 1) -> SearchAttributes:
    return SearchAttributes(indexed_fields={name: keyword("x" * size) for name in names})


@small_limits
async def starts_with_too_much(stage: Stage) -> None:
    """Requests to start over the limits."""
    spoilt: dict[str, Callable[[StartWorkflowExecutionRequest], Any]] = {
        "input": lambda request: request.input.CopyFrom(payloads(LARGE)),
        "memo": lambda request: request.memo.CopyFrom(memo(a=1_100)),
        "search attributes": lambda request: request.search_attributes.CopyFrom(
            attributes("Limited1", "Limited2", "Limited3")
        ),
        "search attribute": lambda request: request.search_attributes.CopyFrom(attributes("Limited1", size=120)),
        "system attribute": lambda request: request.search_attributes.CopyFrom(attributes("RunId")),
        "workflow id": lambda request: setattr(request, "workflow_id", LONG_ID),
        "type": lambda request: setattr(request.workflow_type, "name", LONG_ID),
        "task queue": lambda request: setattr(request.task_queue, "name", LONG_ID),
        "request id": lambda request: setattr(request, "request_id", LONG_ID),
    }
    for name, spoil in spoilt.items():
        request = start_request(stage, request_id=name)
        spoil(request)
        await stage.attempt(name, stage.service.start_workflow_execution(request))


@small_limits
async def identifiers_in_commands(stage: Stage) -> None:
    """Ids and names that are too long fail the workflow task."""
    worker = RawWorker(stage)
    commands: dict[str, Command] = {
        "activity id": schedule_activity(LONG_ID, stage, start_to_close_timeout=60),
        "timer id": start_timer(LONG_ID, 60),
        "marker": record_marker(LONG_ID),
    }
    for name, command in commands.items():
        await worker.start(workflow_id=f"{stage.name} {name}", request_id=name)
        await stage.attempt(name, worker.complete(await worker.poll(), command))
        await stage.client.get_workflow_handle(f"{stage.name} {name}").terminate()
        await stage.history(f"{stage.name} {name}", name=f"history of {name}")


@small_limits
async def signals_with_too_much(stage: Stage) -> None:
    """Signals over the limits, and what the namespace says of limits."""
    await RawWorker(stage).start()
    await stage.attempt("input", signal(stage, "a", LARGE))
    await stage.attempt("name", signal(stage, "b", signal_name=LONG_ID))
    await stage.attempt("request id", signal(stage, LONG_ID))
    await stage.attempt("workflow id", signal(stage, "c", workflow_id=LONG_ID))
    described = await stage.service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    stage.record("limits", described.namespace_info.limits)


def start_child(number: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = f"child {number}"
    attributes.workflow_type.name = "Raw"
    attributes.task_queue.name = "nobody"
    return command


def signal_other(number: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.signal_external_workflow_execution_command_attributes
    attributes.namespace = "default"
    attributes.execution.workflow_id = f"no such {number}"
    attributes.signal_name = "go"
    return command


def cancel_other(number: int) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.request_cancel_external_workflow_execution_command_attributes
    attributes.namespace = "default"
    attributes.workflow_id = f"no such {number}"
    return command


@small_limits
async def too_many_pending_others(stage: Stage) -> None:
    """Children, signals and cancel requests, each once too often in one workflow task."""
    worker = RawWorker(stage)
    makers: dict[str, Callable[[int], Command]] = {
        "children": start_child,
        "signals": signal_other,
        "cancel requests": cancel_other,
    }
    for name, make in makers.items():
        await worker.start(workflow_id=f"{stage.name} {name}", request_id=name)
        await stage.attempt(name, worker.complete(await worker.poll(), *map(make, range(3))))
        await stage.client.get_workflow_handle(f"{stage.name} {name}").terminate()
        await stage.history(f"{stage.name} {name}", name=f"history of {name}")
