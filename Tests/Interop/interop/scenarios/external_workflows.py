"""Signals and cancel requests that a workflow sends to others."""

from collections.abc import Callable
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType

from ..raw import RawWorker, complete_workflow, nothing_shows, payloads, set_fields, start_request
from ..stage import Stage
from . import scenario
from .children import QueueWorker, cancel_external, events_end, refused, start_child, until_started
from .children import _nothing as nothing
from .workflows import MISSING_RUN


def signal_external(workflow_id: str, name: str = "a signal", **fields: Any) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.signal_external_workflow_execution_command_attributes
    attributes.execution.workflow_id = workflow_id
    attributes.execution.run_id = fields.pop("run_id", "")
    attributes.signal_name = name
    for key, value in (fields.pop("header", None) or {}).items():
        attributes.header.fields[key].CopyFrom(value)
    set_fields(attributes, fields)
    return command


async def other(stage: Stage, suffix: str = "other") -> tuple[str, str]:
    """Starts another workflow, which has no worker: its ids."""
    workflow_id = f"{stage.name}-{suffix}"
    request = start_request(stage, workflow_id=workflow_id, request_id=workflow_id)
    request.task_queue.name = f"{stage.name}-others"
    started = await stage.service.start_workflow_execution(request)
    return workflow_id, started.run_id


SIGNALED = "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"
SIGNAL_FAILED = "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"
CANCEL_REQUESTED = "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED"
CANCEL_FAILED = "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"


async def outcomes_of(stage: Stage, outcomes: tuple[str, str], count: int) -> None:
    await stage.until_history(lambda types: sum(types.count(each) for each in outcomes) == count)


async def one_by_one(stage: Stage, commands: list[Command], outcomes: tuple[str, str]) -> None:
    """Sends each command in a task of its own, and waits for its outcome."""
    worker = RawWorker(stage)
    for number, command in enumerate(commands, start=1):
        await worker.complete(await worker.poll(), command)
        await outcomes_of(stage, outcomes, number)
    await worker.complete(await worker.poll(), complete_workflow())


@scenario
async def external_signals(stage: Stage) -> None:
    """Signals to another workflow: its current run, a named one, with input and header."""
    other_id, run_id = await other(stage)
    await RawWorker(stage).start()
    commands = [
        signal_external(other_id, "first", input=payloads({"a": 1}), header={"h": payloads("x").payloads[0]},
                        control="c"),
        signal_external(other_id, "second", run_id=run_id, namespace="default"),
    ]  # fmt: skip
    await one_by_one(stage, commands, (SIGNALED, SIGNAL_FAILED))
    await stage.history()
    await stage.history(other_id, name="other's history")


@scenario
async def external_signals_that_fail(stage: Stage) -> None:
    """Nobody there, no such run, a closed workflow, somebody who is no child."""
    closed_id, closed_run = await other(stage, "closed")
    await stage.client.get_workflow_handle(closed_id).terminate()
    other_id, _ = await other(stage)
    await RawWorker(stage).start()
    commands = [
        signal_external("no-such-workflow"),
        signal_external(other_id, run_id=MISSING_RUN),
        signal_external(closed_id),
        signal_external(closed_id, run_id=closed_run),
        signal_external(other_id, child_workflow_only=True),
        signal_external(stage.name, child_workflow_only=True),
    ]
    await one_by_one(stage, commands, (SIGNALED, SIGNAL_FAILED))
    await stage.history()
    await stage.history(other_id, name="other's history")


@scenario
async def signal_to_itself(stage: Stage) -> None:
    """A workflow that signals itself."""
    worker = RawWorker(stage)
    started = await worker.start()
    await worker.complete(await worker.poll(), signal_external(stage.name, "me"))
    await nothing_shows(0.5)
    await stage.history(name="by its id")
    await worker.complete(await worker.poll(), signal_external(stage.name, "me", run_id=started.run_id))
    await nothing_shows(0.5)
    await stage.history(name="by its run's id")


@scenario
async def signal_to_a_child(stage: Stage) -> None:
    """A signal that only a child may get."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child"))
    await until_started(stage)
    await child.complete(await child.poll())
    command = signal_external(f"{stage.name}-child", "go", child_workflow_only=True)
    await worker.complete(await worker.poll(), command)
    await stage.until_history(lambda types: SIGNALED in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await stage.history(f"{stage.name}-child", name="child's history")


@scenario
async def external_cancels(stage: Stage) -> None:
    """Cancel requests to another workflow, by its id and by its run's; the second one has no effect."""
    other_id, run_id = await other(stage)
    await RawWorker(stage).start()
    commands = [
        cancel_external(other_id, reason="a reason", control="c"),
        cancel_external(other_id, run_id=run_id, namespace="default"),
    ]
    await one_by_one(stage, commands, (CANCEL_REQUESTED, CANCEL_FAILED))
    await stage.history()
    await stage.history(other_id, name="other's history")


@scenario
async def external_cancels_that_fail(stage: Stage) -> None:
    """Nobody there, no such run, a closed workflow, somebody who is no child."""
    closed_id, closed_run = await other(stage, "closed")
    await stage.client.get_workflow_handle(closed_id).terminate()
    other_id, _ = await other(stage)
    await RawWorker(stage).start()
    commands = [
        cancel_external("no-such-workflow"),
        cancel_external(other_id, run_id=MISSING_RUN),
        cancel_external(closed_id),
        cancel_external(closed_id, run_id=closed_run),
        cancel_external(other_id, child_workflow_only=True),
        cancel_external(stage.name, child_workflow_only=True),
    ]
    await one_by_one(stage, commands, (CANCEL_REQUESTED, CANCEL_FAILED))
    await stage.history()
    await stage.history(other_id, name="other's history")


@scenario
async def cancel_of_itself(stage: Stage) -> None:
    """A workflow that requests its own cancellation."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), cancel_external(stage.name))
    await nothing_shows(0.5)
    await stage.history()


@scenario
async def messages_and_the_end(stage: Stage) -> None:
    """A signal and a cancel request in the task that ends their sender: neither is sent."""
    signalled, _ = await other(stage, "signalled")
    cancelled, _ = await other(stage, "cancelled")
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(
        await worker.poll(), signal_external(signalled), cancel_external(cancelled), complete_workflow()
    )
    await nothing_shows(1)
    for name, id in (("own", stage.name), ("signalled", signalled), ("cancelled", cancelled)):
        await stage.history(id, name=f"{name} history")


@scenario
async def signal_of_a_running_target(stage: Stage) -> None:
    """A signal and a cancel request that arrive while the target's workflow task runs."""
    other_id, _ = await other(stage)
    queue = QueueWorker(stage, "others")
    running = await queue.poll()
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), signal_external(other_id))
    await stage.until_history(lambda types: SIGNALED in types)
    await worker.complete(await worker.poll(), cancel_external(other_id))
    await stage.until_history(lambda types: CANCEL_REQUESTED in types)
    await queue.complete(running)
    await stage.until_history(events_end("WORKFLOW_TASK_SCHEDULED"), other_id)
    await stage.history(other_id, name="other's history")


BAD_MESSAGES: dict[str, Callable[[Stage], list[Command]]] = {
    "signal: nothing set": lambda stage: [nothing(CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)],
    "signal: no workflow id": lambda stage: [signal_external("")],
    "signal: no name": lambda stage: [signal_external("x", "")],
    "signal: long name": lambda stage: [signal_external("x", "x" * 1001)],
    "signal: long workflow id": lambda stage: [signal_external("x" * 1001)],
    "signal: malformed run id": lambda stage: [signal_external("x", run_id="not-a-uuid")],
    "signal: unknown namespace": lambda stage: [signal_external("x", namespace="no-such-namespace")],
    "signal: large input": lambda stage: [signal_external("x", input=payloads("x" * (2 << 20)))],
    "cancel: nothing set": lambda stage: [
        nothing(CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    ],
    "cancel: no workflow id": lambda stage: [cancel_external("")],
    "cancel: long workflow id": lambda stage: [cancel_external("x" * 1001)],
    "cancel: malformed run id": lambda stage: [cancel_external("x", run_id="not-a-uuid")],
    "cancel: unknown namespace": lambda stage: [cancel_external("x", namespace="no-such-namespace")],
}


@scenario
async def bad_messages(stage: Stage) -> None:
    """Signals and cancel requests that the server refuses: the answer, and what the history says."""
    await refused(stage, BAD_MESSAGES)
