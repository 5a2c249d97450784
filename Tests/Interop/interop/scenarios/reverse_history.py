"""Histories read from their end."""

from typing import Any

from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    SignalWorkflowExecutionRequest,
)

from ..raw import RawWorker, complete_workflow
from ..stage import Stage
from . import scenario
from .workflows import MISSING_RUN


def read(stage: Stage, **fields: Any) -> Any:
    request = GetWorkflowExecutionHistoryReverseRequest(namespace="default")
    request.execution.workflow_id = fields.pop("workflow_id", stage.name)
    request.execution.run_id = fields.pop("run_id", "")
    for name, value in fields.items():
        setattr(request, name, value)
    return stage.service.get_workflow_execution_history_reverse(request)


async def signal(stage: Stage, name: str) -> None:
    request = SignalWorkflowExecutionRequest(namespace="default", signal_name=name, identity="signaller")
    request.workflow_execution.workflow_id = stage.name
    await stage.service.signal_workflow_execution(request)


async def pages(stage: Stage, **fields: Any) -> list[list[int]]:
    """The event ids of all pages; a page without events at the end is left out."""
    token, found = b"", []
    while True:
        page = await read(stage, next_page_token=token, **fields)
        found.append([event.event_id for event in page.history.events])
        token = page.next_page_token
        if not token:
            return [page for page in found if page]


@scenario
async def history_reversed(stage: Stage) -> None:
    """A run that is open, with and without a task that a worker holds, and closed; pages; refused requests."""
    worker = RawWorker(stage)
    await stage.attempt("missing workflow", read(stage))
    first = await worker.start()
    stage.record("task is due", await read(stage))
    task = await worker.poll()
    stage.record("task runs", [event.event_id for event in (await read(stage)).history.events])
    await signal(stage, "buffered")
    await worker.complete(task)
    for number in range(4):
        await signal(stage, f"s{number}")
    stage.record("open", await read(stage))
    # A page of Temporal holds whole batches of its writes, whatever size was asked for.
    found = await pages(stage, maximum_page_size=3)
    stage.record("events of the pages of an open run", [each for page in found for each in page])
    await worker.complete(await worker.poll(), complete_workflow("end"))
    stage.record("closed", await read(stage))
    found = await pages(stage, maximum_page_size=3)
    stage.record("events of the pages", [each for page in found for each in page])
    await stage.attempt("broken page token", read(stage, next_page_token=b"broken"))
    await stage.attempt("negative page size", read(stage, maximum_page_size=-1))
    await stage.attempt("missing run", read(stage, run_id=MISSING_RUN))
    await stage.attempt("malformed run", read(stage, run_id="x"))
    await stage.attempt("no workflow id", read(stage, workflow_id=""))
    await stage.attempt("no namespace", read(stage, namespace=""))
    await worker.start(request_id="second")
    stage.record("current run", [event.event_id for event in (await read(stage)).history.events])
    stage.record("earlier run", [event.event_id for event in (await read(stage, run_id=first.run_id)).history.events])


@scenario
async def page_tokens_of_the_two_directions(stage: Stage) -> None:
    """A page token of one direction, given to the other."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll())
    page = await read(stage, maximum_page_size=1)
    stage.record("has a token", page.next_page_token != b"")
    forward = GetWorkflowExecutionHistoryRequest(namespace="default", maximum_page_size=1)
    forward.execution.workflow_id = stage.name
    page = await stage.service.get_workflow_execution_history(forward)
    stage.record("has a token as well", page.next_page_token != b"")
