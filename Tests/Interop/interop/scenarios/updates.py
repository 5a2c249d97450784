"""Updates, answered without an SDK: every stage, refusal and end of one, and what it leaves in the history."""

import asyncio
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import QueryResultType
from temporalio.api.protocol.v1 import Message as ProtocolMessage
from temporalio.api.query.v1 import WorkflowQuery, WorkflowQueryResult
from temporalio.api.update.v1 import Acceptance, Response
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse, QueryWorkflowRequest

from ..raw import (
    RawWorker,
    application_failure,
    complete_workflow,
    nothing_shows,
    payloads,
    record_marker,
    start_timer,
)
from ..stage import Stage
from ..updating import (
    ACCEPTED,
    ADMITTED,
    COMPLETED,
    acceptance,
    completion,
    order,
    outcome_request,
    record_messages,
    rejection,
    update_request,
)
from . import scenario


def ask(stage: Stage, id: str, *arguments: Any, wait: int | None = COMPLETED, **fields: Any) -> "asyncio.Task[Any]":
    request = update_request(stage, id, *arguments, wait=wait, **fields)
    return asyncio.create_task(stage.service.update_workflow_execution(request))


def outcome(stage: Stage, id: str, wait: int | None = COMPLETED, run_id: str = "") -> Any:
    return stage.service.poll_workflow_execution_update(outcome_request(stage, id, wait, run_id))


async def idle(stage: Stage, *commands: Command, sticky: bool = False) -> RawWorker:
    """A workflow whose first task is completed."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), *commands, sticky=sticky)
    return worker


async def accept(worker: RawWorker, task: PollWorkflowTaskQueueResponse, *results: Any, **fields: Any) -> Any:
    """Accepts the updates of a task, and completes those for which there is a result."""
    messages, commands = [], []
    for number, message in enumerate(task.messages):
        answers = [acceptance(message)]
        if number < len(results):
            answers.append(completion(message.protocol_instance_id, results[number]))
        messages += answers
        commands += [order(each) for each in answers]
    return await worker.complete(task, *commands, messages=messages, **fields)


@scenario
async def update_completed(stage: Stage) -> None:
    """Accepted and completed at once; the same id gets the same outcome, also after the close."""
    worker = await idle(stage)
    update = ask(stage, "u-1", "to", 7)
    task = await worker.poll()
    record_messages(stage, "task", task)
    stage.record("description", await stage.describe())
    await stage.history(name="history while the task runs")
    await stage.attempt("completion", accept(worker, task, "done"))
    stage.record("answer", await update)
    await stage.history(name="history afterwards")
    await stage.attempt("the same again", ask(stage, "u-1", "something else"))
    await stage.attempt("the same again, accepted", ask(stage, "u-1", "something else", wait=ACCEPTED))
    await stage.attempt("outcome", outcome(stage, "u-1"))
    await stage.attempt("outcome without a wait", outcome(stage, "u-1", None))
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.attempt("the same again after the close", ask(stage, "u-1"))
    await stage.attempt("outcome after the close", outcome(stage, "u-1"))
    await stage.attempt("another one after the close", ask(stage, "u-2"))
    await stage.attempt("outcome of another one after the close", outcome(stage, "u-2"))
    await stage.history()


@scenario
async def update_accepted(stage: Stage) -> None:
    """Accepted with one task and completed with another, with a failure."""
    worker = await idle(stage)
    update = ask(stage, "u-1", wait=ACCEPTED)
    task = await worker.poll()
    await stage.attempt("outcome before", outcome(stage, "u-1", None))
    await stage.attempt("completion", accept(worker, task))
    stage.record("answer", await update)
    await stage.attempt("outcome so far", outcome(stage, "u-1", None))
    await stage.attempt("accepted", outcome(stage, "u-1", ACCEPTED))
    await stage.attempt("the same again", ask(stage, "u-1", wait=ACCEPTED))
    stage.record("description", await stage.describe())
    waiting = asyncio.create_task(outcome(stage, "u-1"))
    await stage.client.get_workflow_handle(stage.name).signal("go on")
    task = await worker.poll()
    record_messages(stage, "next task", task)
    message = completion("u-1", failure=application_failure("no such change"))
    await worker.complete(task, order(message), messages=[message])
    stage.record("outcome", await waiting)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_rejected(stage: Stage) -> None:
    """A rejected update leaves nothing in the history; the next one gets the same event ids."""
    worker = await idle(stage)
    for id in ("u-1", "u-2"):
        update = ask(stage, id)
        task = await worker.poll()
        record_messages(stage, f"task of {id}", task)
        answer = rejection(task.messages[0], application_failure("not now"))
        await stage.attempt(f"completion of {id}", worker.complete(task, messages=[answer]))
        stage.record(f"answer to {id}", await update)
        await stage.history(name=f"history after {id}")
        stage.record(f"description after {id}", await stage.describe())
    await stage.attempt("outcome of a rejected one", outcome(stage, "u-1"))
    update = ask(stage, "u-1")
    task = await worker.poll()
    record_messages(stage, "task of the same again", task)
    await stage.attempt("completion", accept(worker, task, "after all"))
    stage.record("answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_rejected_behind_events(stage: Stage) -> None:
    """Rejected where the last task left events behind: the task stays, unless the worker says that it need not."""
    worker = await idle(stage, start_timer("t", 600), record_marker("m"))
    update = ask(stage, "u-1")
    task = await worker.poll()
    answer = rejection(task.messages[0], application_failure("not now"))
    capability = {"discard_speculative_workflow_task_with_events": True}
    await stage.attempt("completion", worker.complete(task, messages=[answer], capabilities=capability))
    stage.record("answer", await update)
    await stage.history(name="history of a capable worker")
    update = ask(stage, "u-2")
    task = await worker.poll()
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion without the capability", worker.complete(task, messages=[answer]))
    stage.record("second answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_rejected_behind_many_events(stage: Stage) -> None:
    """The worker would be sent many events again."""
    capability = {"discard_speculative_workflow_task_with_events": True}
    for count in (8, 9, 10, 11):
        worker = RawWorker(stage)
        await worker.start(request_id=f"start {count}")
        await worker.complete(await worker.poll(), *(record_marker(f"m-{each}") for each in range(count)))
        update = ask(stage, "u-1")
        task = await worker.poll()
        answer = rejection(task.messages[0], application_failure("not now"))
        await worker.complete(task, messages=[answer], capabilities=capability)
        await update
        await stage.history(name=f"history of {count} markers")
        await stage.client.get_workflow_handle(stage.name).terminate()


@scenario
async def update_not_processed(stage: Stage) -> None:
    """A worker that completes the task without a word about the update: the server rejects it."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    await stage.attempt("completion", worker.complete(await worker.poll()))
    stage.record("answer", await update)
    await stage.history(name="history so far")
    update = ask(stage, "u-2")
    await stage.attempt("completion with a command", worker.complete(await worker.poll(), record_marker("m")))
    stage.record("second answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_before_the_first_task(stage: Stage) -> None:
    """It travels with the first task, and with others that are due."""
    worker = RawWorker(stage)
    await worker.start()
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    await stage.history(name="history without a worker")
    task = await worker.poll()
    record_messages(stage, "task", task)
    await accept(worker, task, "done")
    stage.record("answer", await update)
    await stage.client.get_workflow_handle(stage.name).signal("before")
    update = ask(stage, "u-2")
    await nothing_shows(0.5)
    task = await worker.poll()
    record_messages(stage, "task with a signal", task)
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion", worker.complete(task, messages=[answer]))
    stage.record("second answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_during_a_start_delay(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start(workflow_start_delay=600)
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    stage.record("description", await stage.describe())
    await stage.history(name="history without a worker")
    poll = asyncio.create_task(worker.poll())
    done, _ = await asyncio.wait({poll}, timeout=3)
    stage.record("is given to a worker", bool(done))
    if done:
        record_messages(stage, "task", poll.result())
        await stage.attempt("completion", accept(worker, poll.result(), "done"))
        await stage.attempt("answer", update)
    else:
        poll.cancel()
    await stage.client.get_workflow_handle(stage.name).terminate()
    if not done:
        await stage.attempt("answer", update)
    await stage.history()


@scenario
async def update_while_a_task_runs(stage: Stage) -> None:
    """It is delivered with the next task, which the completion of the running one makes due."""
    worker = RawWorker(stage)
    await worker.start()
    running = await worker.poll()
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    await worker.complete(running)
    await stage.history(name="history after the first task")
    task = await worker.poll()
    record_messages(stage, "task", task)
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion", worker.complete(task, messages=[answer]))
    stage.record("answer", await update)
    await stage.history(name="history so far")
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_returned_with_a_completion(stage: Stage) -> None:
    """A worker that asks for its next task gets it at once, and it isn't written either."""
    worker = RawWorker(stage)
    await worker.start()
    running = await worker.poll()
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    response = await worker.complete(running, sticky=True, return_new_workflow_task=True)
    await stage.history(name="history after the first task")
    record_messages(stage, "next task", response.workflow_task)
    second = ask(stage, "u-2")
    await nothing_shows(0.5)
    answer = rejection(response.workflow_task.messages[0], application_failure("not now"))
    response = await worker.complete(
        response.workflow_task, messages=[answer], sticky=True, return_new_workflow_task=True
    )
    stage.record("answer", await update)
    stage.record("reset to", response.reset_history_event_id)
    await stage.history(name="history after the second task")
    record_messages(stage, "last task", response.workflow_task)
    response = await accept(worker, response.workflow_task, "done", sticky=True, return_new_workflow_task=True)
    stage.record("last response", response)
    stage.record("second answer", await second)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_on_a_sticky_queue(stage: Stage) -> None:
    """The task for an update waits on the sticky queue; a rejection says where the worker has to go back to."""
    worker = await idle(stage, sticky=True)
    sticky = await worker.sticky_poll()
    update = ask(stage, "u-1")
    task = await sticky
    record_messages(stage, "sticky task", task)
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion", worker.complete(task, messages=[answer], sticky=True))
    stage.record("answer", await update)
    sticky = await worker.sticky_poll()
    update = ask(stage, "u-2")
    await accept(worker, await sticky, "done", sticky=True)
    stage.record("second answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_and_signal(stage: Stage) -> None:
    """A signal behind an update that waits for a worker: the task is written, with the signal before it."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    await stage.client.get_workflow_handle(stage.name).signal("between")
    await stage.history(name="history without a worker")
    task = await worker.poll()
    record_messages(stage, "task", task)
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion", worker.complete(task, messages=[answer]))
    stage.record("answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_and_buffered_signal(stage: Stage) -> None:
    """A signal while a worker holds the update's task: the task is written, and the signal behind it."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    task = await worker.poll()
    await stage.client.get_workflow_handle(stage.name).signal("between")
    await stage.history(name="history while the task runs")
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion", worker.complete(task, messages=[answer]))
    stage.record("answer", await update)
    record_messages(stage, "next task", await worker.poll())
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_and_query(stage: Stage) -> None:
    """A query beside an update's task travels with it."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    request = QueryWorkflowRequest(namespace=stage.client.namespace)
    request.execution.workflow_id = stage.name
    request.query.CopyFrom(WorkflowQuery(query_type="state"))
    query = asyncio.create_task(stage.service.query_workflow(request))
    await nothing_shows(0.5)
    task = await worker.poll()
    stage.record("queries beside the update", len(task.queries))
    result = WorkflowQueryResult(result_type=QueryResultType.QUERY_RESULT_TYPE_ANSWERED, answer=payloads("answer"))
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt(
        "completion", worker.complete(task, messages=[answer], query_results={key: result for key in task.queries})
    )
    stage.record("answer", await update)
    stage.record("query's answer", await query)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_task_without_a_worker(stage: Stage) -> None:
    """Nobody takes the update's task for five seconds."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    await nothing_shows(0.5)
    await stage.history(name="history at first")
    await nothing_shows(6)
    await stage.history(name="history without a worker")
    task = await worker.poll()
    record_messages(stage, "task", task)
    answer = rejection(task.messages[0], application_failure("not now"))
    await stage.attempt("completion", worker.complete(task, messages=[answer]))
    stage.record("answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_task_failed(stage: Stage) -> None:
    """The worker fails the task: it is written, and the update comes again with the next attempt."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    await worker.fail(await worker.poll(), "defect")
    await nothing_shows(0.5)
    await stage.history(name="history after the failure")
    task = await worker.poll()
    record_messages(stage, "next task", task)
    await worker.fail(task, "defect")
    task = await worker.poll()
    stage.record("messages of the third attempt", len(task.messages))
    await stage.attempt("another one", ask(stage, "u-2"))
    await stage.attempt("completion", accept(worker, task, "done"))
    await stage.attempt("answer", update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_task_timed_out(stage: Stage) -> None:
    """The worker does not answer: the update comes again."""
    worker = RawWorker(stage)
    await worker.start(workflow_task_timeout=1)
    await worker.complete(await worker.poll())
    update = ask(stage, "u-1")
    await worker.poll()
    task = await worker.poll()
    record_messages(stage, "next task", task)
    await stage.attempt("completion", accept(worker, task, "done"))
    await stage.attempt("answer", update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_task_heartbeat(stage: Stage) -> None:
    """A worker that needs more time completes the task without an answer, and gets another one."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    response = await worker.complete(
        await worker.poll(), force_create_new_workflow_task=True, return_new_workflow_task=True, sticky=True
    )
    record_messages(stage, "next task", response.workflow_task)
    await stage.history(name="history after the heartbeat")
    await stage.attempt("completion", accept(worker, response.workflow_task, "done"))
    await stage.attempt("answer", update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_with_commands(stage: Stage) -> None:
    """Acceptance and response stand among the commands where the worker says."""
    worker = await idle(stage)
    update, second = ask(stage, "u-1"), None
    await nothing_shows(0.3)
    second = ask(stage, "u-2")
    await nothing_shows(0.3)
    task = await worker.poll()
    record_messages(stage, "task", task)
    (first_message, second_message) = task.messages
    accepted, done = acceptance(first_message), completion("u-1", "done")
    others = [rejection(second_message, application_failure("not now"))]
    commands = [record_marker("before"), order(accepted), record_marker("between"), order(done), start_timer("t", 600)]
    await stage.attempt("completion", worker.complete(task, *commands, messages=[done, accepted, *others]))
    stage.record("answer", await update)
    stage.record("second answer", await second)
    update = ask(stage, "u-3")
    task = await worker.poll()
    messages = [acceptance(task.messages[0]), completion("u-3", "done")]
    await worker.complete(task, record_marker("last"), messages=messages)
    stage.record("third answer", await update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_with_the_end_of_the_workflow(stage: Stage) -> None:
    """Completed with the workflow's last task; another one is accepted only, one is not answered, one comes late."""
    worker = await idle(stage)
    updates = []
    for id in ("done", "accepted", "silent"):
        updates.append(ask(stage, id))
        await nothing_shows(0.3)
    waiting = ask(stage, "accepted", wait=ACCEPTED)
    task = await worker.poll()
    updates.append(ask(stage, "late"))
    await nothing_shows(0.3)
    by_id = {each.protocol_instance_id: each for each in task.messages}
    messages = [acceptance(by_id["done"]), completion("done", "done"), acceptance(by_id["accepted"])]
    commands = [*(order(each) for each in messages), complete_workflow("end")]
    await stage.attempt("completion", worker.complete(task, *commands, messages=messages))
    for id, update in zip(("done", "accepted", "silent", "late"), updates, strict=True):
        await stage.attempt(f"answer to {id}", update)
        if id in ("done", "accepted"):
            # What Temporal says of the others afterwards depends on whether the run is still in its cache.
            await stage.attempt(f"outcome of {id}", outcome(stage, id))
            await stage.attempt(f"{id} again", ask(stage, id))
            await stage.attempt(f"{id} again, accepted", ask(stage, id, wait=ACCEPTED))
    await stage.attempt("answer to accepted, which waits for its acceptance", waiting)
    await stage.history()


@scenario
async def update_and_termination(stage: Stage) -> None:
    """Terminated with an accepted update, and with one that a worker holds."""
    worker = await idle(stage)
    update = ask(stage, "accepted", wait=ACCEPTED)
    await accept(worker, await worker.poll())
    await update
    waiting = asyncio.create_task(outcome(stage, "accepted"))
    held = ask(stage, "held")
    task = await worker.poll()
    late = ask(stage, "late")
    await nothing_shows(0.3)
    await stage.client.get_workflow_handle(stage.name).terminate("enough")
    await stage.attempt("answer to accepted", waiting)
    await stage.attempt("answer to held", held)
    await stage.attempt("answer to late", late)
    await stage.attempt("completion", accept(worker, task, "done"))
    await stage.attempt("outcome of accepted", outcome(stage, "accepted"))
    await stage.attempt("stage of accepted", outcome(stage, "accepted", None))
    await stage.history()


@scenario
async def update_refused(stage: Stage) -> None:
    """Requests that say too little, or name what isn't there."""
    await idle(stage)
    run_id = (await stage.describe()).workflow_execution_info.execution.run_id
    update = stage.service.update_workflow_execution

    async def with_change(name: str, change: Any) -> None:
        request = update_request(stage, "u-1", wait=ACCEPTED)
        change(request)
        await stage.attempt(name, update(request))

    await with_change("admitted", lambda it: setattr(it.wait_policy, "lifecycle_stage", ADMITTED))
    await with_change("no request", lambda it: it.ClearField("request"))
    await with_change("no meta", lambda it: it.request.ClearField("meta"))
    await with_change("no input", lambda it: it.request.ClearField("input"))
    await with_change("no name", lambda it: it.request.input.ClearField("name"))
    await with_change("long id", lambda it: setattr(it.request.meta, "update_id", "x" * 1001))
    await with_change("no execution", lambda it: it.ClearField("workflow_execution"))
    await with_change("no workflow id", lambda it: it.workflow_execution.ClearField("workflow_id"))
    await with_change("bad run id", lambda it: setattr(it.workflow_execution, "run_id", "what"))
    await with_change("another workflow", lambda it: setattr(it.workflow_execution, "workflow_id", "nobody"))
    other = "11111111-1111-4111-8111-111111111111"
    await with_change("another run", lambda it: setattr(it.workflow_execution, "run_id", other))
    await with_change("another chain", lambda it: setattr(it, "first_execution_run_id", other))
    await with_change("no namespace", lambda it: it.ClearField("namespace"))
    await with_change("another namespace", lambda it: setattr(it, "namespace", "nowhere"))
    poll = stage.service.poll_workflow_execution_update

    async def poll_with_change(name: str, change: Any) -> None:
        request = outcome_request(stage, "none", COMPLETED)
        change(request)
        await stage.attempt(name, poll(request))

    await poll_with_change("outcome of none", lambda it: None)
    await poll_with_change("outcome of none at once", lambda it: it.ClearField("wait_policy"))
    await poll_with_change("outcome of none in its run", lambda it: setattr(
        it.update_ref.workflow_execution, "run_id", run_id))  # fmt: skip
    await poll_with_change("outcome without an id", lambda it: it.update_ref.ClearField("update_id"))
    await poll_with_change("outcome without a reference", lambda it: it.ClearField("update_ref"))
    await poll_with_change("outcome of another workflow", lambda it: setattr(
        it.update_ref.workflow_execution, "workflow_id", "nobody"))  # fmt: skip
    await poll_with_change("outcome of another run", lambda it: setattr(
        it.update_ref.workflow_execution, "run_id", other))  # fmt: skip
    await stage.client.get_workflow_handle(stage.name).terminate()
    await with_change("after the close", lambda it: None)
    await stage.history()


@scenario
async def update_with_bad_messages(stage: Stage) -> None:
    """Answers that don't fit fail the workflow task; the update comes again."""

    async def answered(name: str, messages: Any, commands: Any = lambda: []) -> None:
        worker = RawWorker(stage)
        await worker.start(request_id=name)
        await worker.complete(await worker.poll())
        update = ask(stage, "u-1")
        task = await worker.poll()
        await stage.attempt(
            f"completion, {name}", worker.complete(task, *commands(), messages=messages(task.messages[0]))
        )
        await stage.history(name=f"history, {name}")
        done, _ = await asyncio.wait({update}, timeout=1)
        stage.record(f"is answered, {name}", bool(done))
        if done:
            await stage.attempt(f"answer, {name}", update)
        await stage.client.get_workflow_handle(stage.name).terminate()
        if not done:
            await stage.attempt(f"answer, {name}", update)

    def of_another(message: Any) -> Any:
        message = acceptance(message)
        message.protocol_instance_id = "u-7"
        return message

    def unknown(message: Any) -> Any:
        message = acceptance(message)
        message.protocol_instance_id = "u-7"
        message.body.Pack(payloads("what"))
        return message

    def without_request(message: Any) -> Any:
        message = of_another(message)
        message.body.Pack(Acceptance(accepted_request_message_id="x"))
        return message

    def without_outcome(message: Any) -> Any:
        message = completion("u-1", "x")
        body = Response()
        body.meta.update_id = "u-1"
        message.body.Pack(body)
        return message

    def of_other_meta(message: Any) -> Any:
        message = completion("u-7", "x")
        message.protocol_instance_id = "u-1"
        return message

    await answered("response before acceptance", lambda it: [completion("u-1", "x")])
    await answered("accepted twice", lambda it: [acceptance(it), acceptance(it)])
    await answered("accepted and rejected", lambda it: [acceptance(it), rejection(it, application_failure("no"))])
    await answered("absent message", lambda it: [acceptance(it)], lambda: [order("absent")])
    await answered("message without an id", lambda it: [acceptance(it)], lambda: [order("")])
    await answered("another update", lambda it: [acceptance(it), of_another(it)])
    await answered("another update without its request", lambda it: [acceptance(it), without_request(it)])
    await answered("unknown message", lambda it: [acceptance(it), unknown(it)])
    await answered("no outcome", lambda it: [acceptance(it), without_outcome(it)])
    await answered("another meta", lambda it: [acceptance(it), of_other_meta(it)])


@scenario
async def updates_in_flight(stage: Stage) -> None:
    """Ten updates at most are under way, accepted or not."""
    worker = RawWorker(stage)
    await worker.start()
    updates = []
    for number in range(10):
        updates.append(ask(stage, f"u-{number}", wait=ACCEPTED))
        await nothing_shows(0.05)
    task = await worker.poll()
    stage.record("ids", [each.protocol_instance_id for each in task.messages])
    await accept(worker, task, "done")
    await asyncio.gather(*updates)
    last = ask(stage, "u-10", wait=ACCEPTED)
    await accept(worker, await worker.poll())
    await last
    await stage.attempt("the eleventh", ask(stage, "u-11"))
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_waits_for_twenty_seconds(stage: Stage) -> None:
    """Then the caller hears how far it has come."""
    worker = await idle(stage)
    update = ask(stage, "u-1", wait=ACCEPTED)
    await accept(worker, await worker.poll())
    await update
    waiting = asyncio.create_task(outcome(stage, "u-1"))
    silent = ask(stage, "u-2", wait=ACCEPTED)
    task = await worker.poll()
    await stage.client.get_workflow_handle(stage.name).signal("between")
    await stage.attempt("answer to the one that is accepted", waiting)
    await stage.attempt("answer to the one that no worker has answered", silent)
    await stage.attempt("completion", accept(worker, task))
    await stage.client.get_workflow_handle(stage.name).terminate()


@scenario
async def update_with_an_empty_message(stage: Stage) -> None:
    """The completion is refused."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    task = await worker.poll()
    await stage.attempt("completion", worker.complete(task, messages=[ProtocolMessage(id="x")]))
    await stage.client.get_workflow_handle(stage.name).terminate()
    await asyncio.wait({update})
    stage.record("is refused", update.exception() is not None)


@scenario
async def update_completed_by_a_workflow_that_must_go_on(stage: Stage) -> None:
    """Completed together with the workflow, which has a signal to see yet, so that the task comes again."""
    worker = await idle(stage)
    update = ask(stage, "u-1")
    task = await worker.poll()
    await stage.client.get_workflow_handle(stage.name).signal("between")
    messages = [acceptance(task.messages[0]), completion("u-1", "done")]
    commands = [*(order(each) for each in messages), complete_workflow("end")]
    await stage.attempt("completion", worker.complete(task, *commands, messages=messages))
    task = await worker.poll()
    stage.record("ids", [each.protocol_instance_id for each in task.messages])
    await stage.attempt("second completion", accept(worker, task, "done"))
    await stage.attempt("answer", update)
    await stage.client.get_workflow_handle(stage.name).terminate()
    await stage.history()


@scenario
async def update_without_a_wait_policy(stage: Stage) -> None:
    """And with the id that the server chooses, and a request id."""
    worker = await idle(stage)
    request = update_request(stage, "", wait=None)
    request.request.request_id = "request of the update"
    update = asyncio.create_task(stage.service.update_workflow_execution(request))
    task = await worker.poll()
    id = task.messages[0].protocol_instance_id
    stage.record("has an id", bool(id))
    await accept(worker, task)
    done, _ = await asyncio.wait({update}, timeout=1)
    stage.record("is answered when it is accepted", bool(done))
    await stage.client.get_workflow_handle(stage.name).signal("go on")
    message = completion(id, failure=application_failure("no such change"))
    await worker.complete(await worker.poll(), order(message), messages=[message])
    answer = await update
    stage.record("stage", answer.stage)
    stage.record("outcome", answer.outcome)
    stage.record("link", answer.link)
    await stage.client.get_workflow_handle(stage.name).terminate()
