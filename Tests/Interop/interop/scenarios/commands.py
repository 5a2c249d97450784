"""Commands of a workflow: timers, markers, its end, and what is refused."""

from collections.abc import Callable

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import CommandType

from ..raw import (
    RawWorker,
    application_failure,
    cancel_activity,
    cancel_timer,
    complete_workflow,
    fail_workflow,
    nothing_shows,
    payloads,
    record_marker,
    schedule_activity,
    start_timer,
)
from ..stage import Stage
from . import scenario


@scenario
async def timer_cancelled_at_once(stage: Stage) -> None:
    """A timer that is started and cancelled in the same task, and started again."""
    worker = RawWorker(stage)
    await worker.start()
    commands = [start_timer("t", 60), cancel_timer("t"), start_timer("t", 50)]
    await worker.complete(await worker.poll(), *commands, complete_workflow())
    await stage.history()


@scenario
async def timer_cancelled_later(stage: Stage) -> None:
    """One timer fires, another is cancelled in the task that follows."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_timer("long", 60), start_timer("short", 0.1))
    task = await worker.poll()
    await worker.complete(task, cancel_timer("long"), start_timer("long", 60), complete_workflow())
    await stage.history()


@scenario
async def timer_fires_while_running(stage: Stage) -> None:
    """A timer that fires while a workflow task runs waits for its completion."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_timer("short", 1))
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("first")
    running = await worker.poll()
    await nothing_shows(3)
    await handle.signal("second")
    await worker.complete(running)
    task = await worker.poll()
    stage.record("next task", task)
    await worker.complete(task, complete_workflow())
    await stage.history()


@scenario
async def cancel_of_a_fired_timer(stage: Stage) -> None:
    """The timer fires while the task that cancels it runs: its event is taken back."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_timer("short", 1))
    await stage.client.get_workflow_handle(stage.name).signal("first")
    running = await worker.poll()
    await nothing_shows(3)
    await stage.attempt("completion", worker.complete(running, cancel_timer("short"), complete_workflow()))
    await stage.history()


@scenario
async def markers(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start()
    marker = record_marker("version", change="v1")
    failed = record_marker("local activity")
    failed.record_marker_command_attributes.failure.CopyFrom(application_failure("a local activity failed"))
    await worker.complete(await worker.poll(), marker, failed, complete_workflow())
    await stage.history()


@scenario
async def failed_workflow(stage: Stage) -> None:
    """A workflow that fails, with a chain of causes and details."""
    worker = RawWorker(stage)
    await worker.start()
    failure = application_failure("outer", "Outer", details=payloads({"a": 1}, "b"))
    failure.cause.CopyFrom(application_failure("inner", "Inner", non_retryable=True))
    failure.stack_trace = "at somewhere"
    failure.source = "raw"
    await worker.complete(await worker.poll(), fail_workflow(failure))
    await stage.history()
    await stage.outcome(stage.client.get_workflow_handle(stage.name))


@scenario
async def completion_without_result(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await stage.outcome(stage.client.get_workflow_handle(stage.name))


BAD_COMMANDS = {
    "activity without an id": lambda stage: [schedule_activity("", stage, start_to_close_timeout=1)],
    "activity without a timeout": lambda stage: [schedule_activity("a", stage)],
    "activity without a type": lambda stage: [_untyped(stage)],
    "activity id twice": lambda stage: [schedule_activity("a", stage, start_to_close_timeout=9)] * 2,
    "negative timeout": lambda stage: [schedule_activity("a", stage, start_to_close_timeout=-1)],
    "bad retry policy": lambda stage: [
        schedule_activity("a", stage, start_to_close_timeout=9, retry={"backoff_coefficient": 0.5})
    ],
    "negative retry interval": lambda stage: [
        schedule_activity("a", stage, start_to_close_timeout=9, retry={"initial_interval": -1})
    ],
    "activity without a queue": lambda stage: [_on_queue("", stage)],
    "long queue": lambda stage: [_on_queue("x" * 1001, stage)],
    "reserved queue": lambda stage: [_on_queue("/_sys/queue", stage)],
    "long activity id": lambda stage: [schedule_activity("x" * 1001, stage, start_to_close_timeout=1)],
    "long timer id": lambda stage: [start_timer("x" * 1001, 1)],
    "long marker name": lambda stage: [record_marker("x" * 1001)],
    "nothing set": lambda stage: [_empty()],
    "timer without an id": lambda stage: [start_timer("", 1)],
    "timer id twice": lambda stage: [start_timer("t", 1)] * 2,
    "timer without a duration": lambda stage: [start_timer("t", 0)],
    "cancel of an unknown timer": lambda stage: [cancel_timer("unknown")],
    "cancel of an unknown activity": lambda stage: [cancel_activity(77)],
    "marker without a name": lambda stage: [record_marker("")],
    "failure missing": lambda stage: [_failed_without_failure()],
    "command after the end": lambda stage: [complete_workflow(), start_timer("t", 1)],
    "completed twice": lambda stage: [complete_workflow(), complete_workflow()],
}


def _untyped(stage: Stage) -> Command:
    command = schedule_activity("a", stage, start_to_close_timeout=1)
    command.schedule_activity_task_command_attributes.activity_type.Clear()
    return command


def _on_queue(name: str, stage: Stage) -> Command:
    command = schedule_activity("a", stage, start_to_close_timeout=1)
    command.schedule_activity_task_command_attributes.task_queue.name = name
    return command


def _empty() -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    command.schedule_activity_task_command_attributes.SetInParent()
    return command


def _failed_without_failure() -> Command:
    command = fail_workflow(application_failure("x"))
    command.fail_workflow_execution_command_attributes.Clear()
    command.fail_workflow_execution_command_attributes.SetInParent()
    return command


@scenario
async def bad_commands(stage: Stage) -> None:
    """Commands that the server refuses: the answer, and what the history says."""
    for number, (name, commands) in enumerate(BAD_COMMANDS.items()):
        worker = RawWorker(stage)
        workflow_id = f"{stage.name}-{number}"
        await worker.start(workflow_id=workflow_id, request_id=workflow_id)
        task = await worker.poll()
        await stage.attempt(f"{name}: answer", worker.complete(task, *commands(stage)))
        if name == "timer without a duration":  # no defect: it fires, up to a second later
            await stage.until_history(lambda types: "TIMER_FIRED" in types, workflow_id)
        await stage.history(workflow_id, name=f"{name}: history")
        await stage.client.get_workflow_handle(workflow_id).terminate()


def upsert(fields: dict[str, Payload] | None = None) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
    attributes = command.upsert_workflow_search_attributes_command_attributes
    attributes.SetInParent()
    if fields is not None:
        attributes.search_attributes.SetInParent()
        for name, payload in fields.items():
            attributes.search_attributes.indexed_fields[name].CopyFrom(payload)
    return command


def keyword(value: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", "type": b"Keyword"}, data=f'"{value}"'.encode())


BAD_UPSERTS: dict[str, Callable[[], Command]] = {
    "nothing set": lambda: upsert(),
    "no fields": lambda: upsert({}),
    "attribute of the server": lambda: upsert({"WorkflowId": keyword("x")}),
}


@scenario
async def bad_upserts(stage: Stage) -> None:
    """Changes of search attributes that the server refuses: the answer, and what the history says."""
    for number, (name, command) in enumerate(BAD_UPSERTS.items()):
        worker = RawWorker(stage)
        workflow_id = f"{stage.name}-{number}"
        await worker.start(workflow_id=workflow_id, request_id=workflow_id)
        task = await worker.poll()
        await stage.attempt(f"{name}: answer", worker.complete(task, command()))
        await stage.history(workflow_id, name=f"{name}: history")
        await stage.client.get_workflow_handle(workflow_id).terminate()
