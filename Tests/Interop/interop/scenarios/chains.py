"""Runs that end in another one: continue-as-new, retries of a workflow, cron."""

import asyncio
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Header, Memo, RetryPolicy
from temporalio.api.enums.v1 import CommandType, ContinueAsNewInitiator
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    RequestCancelWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)

from ..raw import (
    RawWorker,
    application_failure,
    cancel_workflow,
    complete_workflow,
    fail_workflow,
    payloads,
    set_fields,
    start_timer,
)
from ..stage import Stage
from . import scenario


def continue_as_new(*arguments: Any, **fields: Any) -> Command:
    """Continues the workflow; times in `fields` are seconds, `retry` are the retry policy's fields."""
    command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
    attributes = command.continue_as_new_workflow_execution_command_attributes
    attributes.SetInParent()
    if arguments:
        attributes.input.CopyFrom(payloads(*arguments))
    for name in ("workflow_type", "task_queue"):
        if name in fields:
            getattr(attributes, name).name = fields.pop(name)
    retry = fields.pop("retry", None)
    set_fields(attributes, fields)
    if retry is not None:
        set_fields(attributes.retry_policy, retry)
        attributes.retry_policy.SetInParent()
    return command


async def chain(stage: Stage, first_run_id: str) -> None:
    """Records the history and the description of each run, from the first one on."""
    run_id, number = first_run_id, 1
    while run_id:
        history = await stage.history(run_id=run_id, name=f"run {number}")
        stage.record(f"description {number}", await stage.describe(run_id=run_id))
        run_id, number = new_run(history), number + 1


def new_run(history: History) -> str:
    last = history.events[-1]
    return str(getattr(getattr(last, last.WhichOneof("attributes")), "new_execution_run_id", ""))


async def lived(seconds: float = 1.2) -> None:
    """A run that ends within its first second leaves the rest of that second to its successor as a pause."""
    await asyncio.sleep(seconds)


@scenario
async def continued_plainly(stage: Stage) -> None:
    """What a successor inherits when the command names nothing, and what it does not."""
    worker = RawWorker(stage)
    memo, header = Memo(), Header()
    memo.fields["note"].CopyFrom(payloads("remember").payloads[0])
    header.fields["trace"].CopyFrom(payloads("00-1").payloads[0])
    first = await worker.start(
        "input", memo=memo, header=header, workflow_execution_timeout=500, workflow_run_timeout=400,
        workflow_task_timeout=30,
    )  # fmt: skip
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new())
    await worker.complete(await worker.poll(), complete_workflow("done"))
    await chain(stage, first.run_id)


@scenario
async def continued_with_everything(stage: Stage) -> None:
    """All attributes of the command."""
    worker = RawWorker(stage)
    memo, header = Memo(), Header()
    memo.fields["note"].CopyFrom(payloads("other").payloads[0])
    header.fields["trace"].CopyFrom(payloads("00-2").payloads[0])
    first = await worker.start("input", workflow_execution_timeout=500, workflow_run_timeout=400)
    task = await worker.poll()
    await lived()
    await worker.complete(
        task,
        continue_as_new(
            "next", workflow_type="Other", task_queue=stage.name, workflow_run_timeout=300,
            workflow_task_timeout=20, memo=memo, header=header, backoff_start_interval=1,
            failure=application_failure("carried"), last_completion_result=payloads("carried result"),
            initiator=ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW, retry={"maximum_attempts": 3},
        ),
    )  # fmt: skip
    await worker.complete(await worker.poll(), complete_workflow())
    await chain(stage, first.run_id)


@scenario
async def continued_as_a_retry(stage: Stage) -> None:
    """Workflow code that says that it is a retry raises the attempt."""
    worker = RawWorker(stage)
    first = await worker.start()
    task = await worker.poll()
    await lived()
    retry = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY
    await worker.complete(task, continue_as_new(initiator=retry))
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new(workflow_run_timeout=900))
    await worker.complete(await worker.poll(), fail_workflow(application_failure("over")))
    await chain(stage, first.run_id)


@scenario
async def continued_before_a_signal_was_seen(stage: Stage) -> None:
    """A signal that came meanwhile fails the task; then the run continues, and the pending timer is gone."""
    worker = RawWorker(stage)
    first = await worker.start()
    await worker.complete(await worker.poll(), start_timer("t", 60))
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("first")
    task = await worker.poll()
    await handle.signal("meanwhile")
    await lived()
    await stage.attempt("refused", worker.complete(task, continue_as_new()))
    await worker.complete(await worker.poll(), continue_as_new())
    await handle.signal("to the next run")
    await worker.complete(await worker.poll(), complete_workflow())
    await chain(stage, first.run_id)


REFUSED = {
    "long type": lambda stage: continue_as_new(workflow_type="x" * 1001),
    "long queue": lambda stage: continue_as_new(task_queue="x" * 1001),
    "reserved queue": lambda stage: continue_as_new(task_queue="/_sys/queue"),
    "negative run timeout": lambda stage: continue_as_new(workflow_run_timeout=-1),
    "negative task timeout": lambda stage: continue_as_new(workflow_task_timeout=-1),
    "negative backoff": lambda stage: continue_as_new(backoff_start_interval=-1),
    "bad retry policy": lambda stage: continue_as_new(retry={"backoff_coefficient": 0.5}),
    "bad cron": lambda stage: continue_as_new(cron_schedule="nonsense"),
    "large input": lambda stage: continue_as_new("x" * (2 * 1024 * 1024 + 1)),
}


@scenario
async def refused_continuations(stage: Stage) -> None:
    """Commands that cannot be carried out."""
    worker = RawWorker(stage)
    for name, command in REFUSED.items():
        workflow_id = f"{stage.name}-{name}"
        await worker.start(workflow_id=workflow_id, request_id=name)
        task = await worker.poll()
        if name == "bad cron":
            await lived()  # nothing checks the schedule of a run that continues
        await stage.attempt(name, worker.complete(task, command(stage)))
        await stage.history(workflow_id, name=f"history: {name}")
        if name == "bad cron":
            await stage.attempt("terminated", stage.client.get_workflow_handle(workflow_id).terminate())
            continue
        if name != "large input":
            await worker.complete(await worker.poll(), complete_workflow())


@scenario
async def requests_to_a_chain(stage: Stage) -> None:
    """Signals, cancel requests and terminations by the first run of the chain, and by the run that is over."""
    worker = RawWorker(stage)
    first = await worker.start()
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new())
    task = await worker.poll()
    await worker.complete(task)
    service, namespace = stage.service, stage.client.namespace

    def to(request: type, run_id: str = "", **fields: Any) -> Any:
        message = request(namespace=namespace, identity="raw client", **fields)
        message.workflow_execution.workflow_id = stage.name
        message.workflow_execution.run_id = run_id
        return message

    signal, cancel, end = (
        SignalWorkflowExecutionRequest, RequestCancelWorkflowExecutionRequest, TerminateWorkflowExecutionRequest,
    )  # fmt: skip
    old = first.run_id
    await stage.attempt(
        "signal to the first run", service.signal_workflow_execution(to(signal, old, signal_name="late"))
    )
    await stage.attempt("cancel of the first run", service.request_cancel_workflow_execution(to(cancel, old)))
    await stage.attempt("termination of the first run", service.terminate_workflow_execution(to(end, old)))
    wrong = {"first_execution_run_id": task.workflow_execution.run_id}
    await stage.attempt("cancel of another chain", service.request_cancel_workflow_execution(to(cancel, **wrong)))
    await stage.attempt("termination of another chain", service.terminate_workflow_execution(to(end, **wrong)))
    right = {"first_execution_run_id": old}
    await stage.attempt("cancel of the chain", service.request_cancel_workflow_execution(to(cancel, **right)))
    await stage.attempt("termination of the chain", service.terminate_workflow_execution(to(end, **right)))
    await chain(stage, old)


@scenario
async def followed_chain(stage: Stage) -> None:
    """A follower of the first run's end gets the event that names the next run."""
    worker = RawWorker(stage)
    first = await worker.start()
    request = GetWorkflowExecutionHistoryRequest(
        namespace=stage.client.namespace, wait_new_event=True, history_event_filter_type=2  # type: ignore[arg-type]
    )
    request.execution.workflow_id = stage.name
    request.execution.run_id = first.run_id
    follower = asyncio.create_task(stage.service.get_workflow_execution_history(request))
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new("again"))
    stage.record("end of the first run", await follower)
    await worker.complete(await worker.poll(), complete_workflow("at last"))
    await stage.outcome(stage.client.get_workflow_handle(stage.name, run_id=first.run_id))
    handle = stage.client.get_workflow_handle(stage.name, run_id=first.run_id)
    await stage.attempt("without following", handle.result(follow_runs=False))


@scenario
async def retried_workflow(stage: Stage) -> None:
    """A failing workflow is retried with backoff until its attempts are used up."""
    worker = RawWorker(stage)
    retry = RetryPolicy(maximum_attempts=3, backoff_coefficient=1.0)
    retry.initial_interval.FromSeconds(1)
    memo, header = Memo(), Header()
    memo.fields["note"].CopyFrom(payloads("remember").payloads[0])
    header.fields["trace"].CopyFrom(payloads("00-1").payloads[0])
    first = await worker.start(
        "input", retry_policy=retry, memo=memo, header=header, workflow_run_timeout=100,
        workflow_execution_timeout=200,
    )  # fmt: skip
    for number in (1, 2, 3):
        task = await worker.poll()
        await lived()
        await worker.complete(task, fail_workflow(application_failure(f"failure {number}")))
    await chain(stage, first.run_id)


@scenario
async def unretried_failures(stage: Stage) -> None:
    """What ends a workflow with a retry policy at once: its type, its own word, and no time."""
    worker = RawWorker(stage)
    retry = RetryPolicy(non_retryable_error_types=["Fatal"])
    ends = {
        "type": fail_workflow(application_failure("no", type="Fatal")),
        "word": fail_workflow(application_failure("no", non_retryable=True)),
        "cancelled": cancel_workflow(),
        "completed": complete_workflow("fine"),
    }
    for name, command in ends.items():
        workflow_id = f"{stage.name}-{name}"
        await worker.start(workflow_id=workflow_id, request_id=name, retry_policy=retry)
        await worker.complete(await worker.poll(), command)
        await stage.history(workflow_id, name=name)
    late = RetryPolicy()
    late.initial_interval.FromSeconds(60)
    workflow_id = f"{stage.name}-late"
    await worker.start(workflow_id=workflow_id, request_id="late", retry_policy=late, workflow_execution_timeout=30)
    await worker.complete(await worker.poll(), fail_workflow(application_failure("no")))
    await stage.history(workflow_id, name="late")
    workflow_id = f"{stage.name}-terminated"
    await worker.start(workflow_id=workflow_id, request_id="terminated", retry_policy=retry)
    await stage.client.get_workflow_handle(workflow_id).terminate()
    await stage.history(workflow_id, name="terminated")


@scenario
async def retry_with_its_own_delay(stage: Stage) -> None:
    """The failure names the delay."""
    worker = RawWorker(stage)
    retry = RetryPolicy()
    retry.initial_interval.FromSeconds(50)
    first = await worker.start(retry_policy=retry)
    task = await worker.poll()
    await lived()
    await worker.complete(task, fail_workflow(application_failure("soon", next_retry_delay=2)))
    await worker.complete(await worker.poll(), complete_workflow())
    await chain(stage, first.run_id)


@scenario
async def retried_timeout(stage: Stage) -> None:
    """A run that times out is retried, and the last attempt says that there is no other."""
    worker = RawWorker(stage)
    retry = RetryPolicy(maximum_attempts=2)
    retry.initial_interval.FromSeconds(1)
    first = await worker.start(retry_policy=retry, workflow_run_timeout=2)

    async def over() -> bool:
        history = await stage.events(run_id=first.run_id)
        if not (following := new_run(history)):
            return False
        last = (await stage.events(run_id=following)).events[-1]
        return last.HasField("workflow_execution_timed_out_event_attributes")

    await stage.until(over)
    await chain(stage, first.run_id)


@scenario
async def chain_that_times_out(stage: Stage) -> None:
    """The execution timeout counts for all runs together."""
    worker = RawWorker(stage)
    first = await worker.start(workflow_execution_timeout=4)
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new(workflow_run_timeout=100))
    await worker.poll()
    await stage.until_history(lambda types: types[-1] == "WORKFLOW_EXECUTION_TIMED_OUT")
    await chain(stage, first.run_id)


@scenario
async def cron_workflow(stage: Stage) -> None:
    """Runs of a schedule: their results and failures go to the next one; a termination ends it."""
    worker = RawWorker(stage)
    memo = Memo()
    memo.fields["note"].CopyFrom(payloads("remember").payloads[0])
    first = await worker.start("input", cron_schedule="@every 2s", memo=memo)
    stage.record("while it waits", await stage.describe())
    await worker.complete(await worker.poll(), complete_workflow("result 1"))
    await worker.complete(await worker.poll(), fail_workflow(application_failure("failure 2")))
    await worker.complete(await worker.poll(), complete_workflow("result 3"))
    await worker.complete(await worker.poll(), cancel_workflow())
    await chain(stage, first.run_id)


@scenario
async def cron_with_retries(stage: Stage) -> None:
    """A run of a schedule that fails is retried first."""
    worker = RawWorker(stage)
    retry = RetryPolicy(maximum_attempts=2)
    retry.initial_interval.FromSeconds(1)
    first = await worker.start(cron_schedule="@every 2s", retry_policy=retry)
    for number in (1, 2):
        await worker.complete(await worker.poll(), fail_workflow(application_failure(f"failure {number}")))
    task = await worker.poll()
    await stage.client.get_workflow_handle(stage.name).terminate()
    stage.record("third", task.workflow_execution)
    await chain(stage, first.run_id)


@scenario
async def cron_that_continues(stage: Stage) -> None:
    """A run of a schedule that continues as new, with the schedule and without."""
    worker = RawWorker(stage)
    first = await worker.start(cron_schedule="@every 2s")
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new("with", cron_schedule="@every 2s"))
    await worker.complete(await worker.poll(), complete_workflow("one"))
    task = await worker.poll()
    await lived()
    await worker.complete(task, continue_as_new("without"))
    await worker.complete(await worker.poll(), complete_workflow("two"))
    await chain(stage, first.run_id)


@scenario
async def cron_that_times_out(stage: Stage) -> None:
    """A run of a schedule that times out is followed by the next one."""
    worker = RawWorker(stage)
    first = await worker.start(cron_schedule="@every 3s", workflow_run_timeout=1)
    await worker.poll()
    await stage.until_history(lambda types: types[-1] != "WORKFLOW_TASK_SCHEDULED")

    async def followed() -> bool:
        return bool(new_run(await stage.events(run_id=first.run_id)))

    await stage.until(followed)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await chain(stage, first.run_id)


CRONS = (
    "* * * * *", "*/15 0-8,20 1 jan,feb mon-fri", "0 0 1 1 ?", "CRON_TZ=Europe/Berlin 30 2 * * *",
    "TZ=America/New_York @daily", "@every 1h30m", "@hourly", "@weekly", "@monthly", "@yearly", "@annually", "@midnight",
    "5/7 * * * *", "* * * * sun", "@every 1ms", "0 0 31 2 *", "0 0 * * 7", "60 * * * *", "* * * *", "* * * * * *",
    "nonsense", "@sometimes", "@every", "@every x", "*/0 * * * *", "5-1 * * * *", "1-2-3 * * * *", "* * 0 * *",
    "CRON_TZ=Nowhere/Land * * * * *", "-1 * * * *", "1/2/3 * * * *", "* * * foo *", ", * * * *", "@Daily", " @daily",
)  # fmt: skip


@scenario
async def cron_expressions(stage: Stage) -> None:
    """Schedules that are accepted and refused."""
    worker = RawWorker(stage)
    for number, schedule in enumerate(CRONS):
        workflow_id = f"{stage.name}-{number}"
        call = worker.start(workflow_id=workflow_id, request_id=workflow_id, cron_schedule=schedule)
        if await stage.attempt(schedule, call):
            await stage.client.get_workflow_handle(workflow_id).terminate()
    both = worker.start(cron_schedule="@daily", workflow_start_delay=5)
    await stage.attempt("with a start delay", both)
