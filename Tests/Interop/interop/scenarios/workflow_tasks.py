"""Workflow tasks, answered without an SDK."""

from datetime import timedelta

from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueResponse

from ..raw import (
    RawWorker,
    cancel_workflow,
    complete_workflow,
    record_marker,
    schedule_activity,
    start_timer,
)
from ..stage import Stage
from . import scenario


@scenario
async def polled_tasks(stage: Stage) -> None:
    """What polls return: the first workflow task, a sticky one, an activity; and an eager activity."""
    worker = RawWorker(stage)
    await worker.start("input", 2)
    first = await worker.poll()
    stage.record("first task", first)
    eager = schedule_activity("eager", stage, start_to_close_timeout=30, request_eager_execution=True)
    lazy = schedule_activity("lazy", stage, start_to_close_timeout=30, heartbeat_timeout=10)
    answer = await worker.complete(first, eager, lazy, sticky=True)
    stage.record("answer with the eager activity", answer)
    activity = await worker.poll_activity()
    stage.record("activity", activity)
    sticky = await worker.sticky_poll()
    stage.record("answer to the activity", await worker.complete_activity(activity, "done"))
    second = await sticky
    stage.record("sticky task", second)
    await worker.complete_activity(answer.activity_tasks[0], "done eagerly")
    sticky = await worker.sticky_poll()
    stage.record("answer without commands", await worker.complete(second, sticky=True))
    third = await sticky
    stage.record("sticky task after that", third)
    stage.record("closing answer", await worker.complete(third, complete_workflow({"a": 1})))
    await stage.history()
    stage.record("description", await stage.describe())


@scenario
async def new_task_in_the_answer(stage: Stage) -> None:
    """`return_new_workflow_task`: a signal arrived meanwhile, so the answer holds the next task."""
    worker = RawWorker(stage)
    await worker.start()
    first = await worker.poll()
    await stage.client.get_workflow_handle(stage.name).signal("meanwhile", "s")
    answer = await worker.complete(first, sticky=True, return_new_workflow_task=True)
    stage.record("answer", answer)
    await worker.complete(answer.workflow_task, complete_workflow(), return_new_workflow_task=True)
    await stage.history()


@scenario
async def forced_new_task(stage: Stage) -> None:
    """`force_create_new_workflow_task`, the heartbeat of local activities: with and without the new task returned."""
    worker = RawWorker(stage)
    await worker.start()
    task = await worker.poll()
    answer = await worker.complete(task, force_create_new_workflow_task=True, return_new_workflow_task=True)
    stage.record("answer", answer)
    await worker.complete(answer.workflow_task, record_marker("mark", data=1), force_create_new_workflow_task=True)
    task = await worker.poll()
    stage.record("polled", task)
    await worker.complete(task, complete_workflow("end"))
    await stage.history()


@scenario
async def late_workflow_task_completion(stage: Stage) -> None:
    """A completion sent twice, one after the task failed, one after the workflow closed, a broken token."""
    worker = RawWorker(stage)
    await worker.start()
    first = await worker.poll()
    await worker.complete(first, start_timer("t", 60))
    # Sagamore takes the last completion again, here and after the close, with the answer it gave before and without
    # another effect: a worker that lost the answer, as the connection or the server broke, goes on as if it had it.
    await stage.attempt("completed again", worker.complete(first, start_timer("t", 60)))
    await stage.attempt("failed after completed", worker.fail(first, "late"))
    await stage.client.get_workflow_handle(stage.name).signal("next")
    second = await worker.poll()
    await worker.fail(second, "first failure")
    await stage.attempt("completed after failed", worker.complete(second))
    third = await worker.poll()
    stage.record("task after a failure", third)
    await worker.complete(third, complete_workflow())
    await stage.attempt("completed after close", worker.complete(third, complete_workflow()))
    broken = PollWorkflowTaskQueueResponse(task_token=b"\x01\x02broken")
    await stage.attempt("broken token", worker.complete(broken))
    await stage.attempt("empty token", worker.complete(PollWorkflowTaskQueueResponse()))
    await stage.history()


@scenario
async def workflow_task_timeout(stage: Stage) -> None:
    """A workflow task is never answered: it times out, the next attempts are transient."""
    worker = RawWorker(stage)
    await worker.start(workflow_task_timeout=3)
    await worker.poll()
    await stage.until_history(lambda types: "WORKFLOW_TASK_TIMED_OUT" in types)
    second = await worker.poll()
    stage.record("second attempt", second)
    stage.record("description in the second attempt", await stage.describe())
    third = await worker.poll()  # the second one times out too
    stage.record("third attempt", third)
    await worker.complete(third, complete_workflow())
    await stage.history()


@scenario
async def workflow_task_failures(stage: Stage) -> None:
    """Failures with a cause; a signal during the backoff of a transient task."""
    worker = RawWorker(stage)
    cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    await worker.start()
    await worker.fail(await worker.poll(), "not deterministic", cause)
    second = await worker.poll()
    stage.record("second attempt", second)
    await stage.client.get_workflow_handle(stage.name).signal("meanwhile", "s")
    await worker.fail(second, "not deterministic again", cause)
    third = await worker.poll()
    stage.record("third attempt", third)
    await worker.complete(third, complete_workflow())
    await stage.history()


@scenario
async def later_attempts_in_the_history(stage: Stage) -> None:
    """What a reader sees of a later attempt, which is not written: while it is due, while it runs, after a signal."""
    worker = RawWorker(stage)
    handle = stage.client.get_workflow_handle(stage.name)
    await worker.start()
    await worker.fail(await worker.poll(), "first")
    await stage.history(name="second attempt due")
    second = await worker.poll()
    await stage.history(name="second attempt running")
    await handle.signal("while it runs")
    await stage.history(name="second attempt running, signalled")
    await worker.fail(second, "second")
    await stage.history(name="a first attempt again")
    await worker.fail(await worker.poll(), "third")
    await handle.signal("while it is due")
    await stage.history(name="second attempt due, signalled")
    stage.record("description", await stage.describe())
    await handle.terminate()


@scenario
async def sticky_queue_timeout(stage: Stage) -> None:
    """The worker of a sticky queue is gone: the task times out there and is scheduled on the normal queue."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), sticky=True)
    sticky = await worker.sticky_poll()
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("first")
    await worker.complete(await sticky, sticky=1)
    await handle.signal("second")  # within 10 s after a poll the sticky queue counts as served
    task = await worker.poll()
    stage.record("task on the normal queue", task)
    await worker.complete(task, complete_workflow())
    await stage.history()


@scenario
async def sticky_queue_without_poller(stage: Stage) -> None:
    """Nobody ever polled the sticky queue: its task is offered on the normal one at once."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), sticky=1)
    await stage.client.get_workflow_handle(stage.name).signal("next")
    task = await worker.poll()
    stage.record("task on the normal queue", task)
    await worker.complete(task, complete_workflow())
    await stage.history()


@scenario
async def signal_while_completing(stage: Stage) -> None:
    """A workflow that wants to close while a signal waits: the task fails, the next one sees the signal."""
    worker = RawWorker(stage)
    await worker.start()
    first = await worker.poll()
    await stage.client.get_workflow_handle(stage.name).signal("meanwhile", "s")
    await stage.attempt("completion", worker.complete(first, complete_workflow("too early")))
    second = await worker.poll()
    stage.record("next task", second)
    await worker.complete(second, complete_workflow("in time"))
    await stage.history()


@scenario
async def terminate_while_running(stage: Stage) -> None:
    """Terminated while a worker holds the workflow task and signals are buffered."""
    worker = RawWorker(stage)
    await worker.start()
    first = await worker.poll()
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("meanwhile", "s")
    await handle.terminate(reason="enough")
    await stage.attempt("completion", worker.complete(first, complete_workflow()))
    await stage.history()
    stage.record("description", await stage.describe())


@scenario
async def cancel_while_running(stage: Stage) -> None:
    """A cancel request while the workflow task runs, and again; cancelled with details."""
    worker = RawWorker(stage)
    await worker.start()
    first = await worker.poll()
    handle = stage.client.get_workflow_handle(stage.name)
    await stage.attempt("cancel", handle.cancel(reason="changed my mind"))
    await stage.attempt("cancel again", handle.cancel(reason="again"))
    await worker.complete(first)
    task = await worker.poll()
    stage.record("task", task)
    await worker.complete(task, cancel_workflow({"rolled": "back"}))
    await stage.history()
    await stage.attempt("cancel after close", handle.cancel())
    await stage.outcome(handle)


@scenario
async def cancel_while_scheduled(stage: Stage) -> None:
    """A cancel request before the first workflow task."""
    worker = RawWorker(stage)
    await worker.start()
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.cancel(reason="changed my mind")
    await worker.complete(await worker.poll(), cancel_workflow())
    await stage.history()


@scenario
async def empty_poll(stage: Stage) -> None:
    """A poll that ends without a task, by the client's deadline."""
    from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest, PollWorkflowTaskQueueRequest

    worker = RawWorker(stage)
    for name, call, request in (
        ("workflow", stage.service.poll_workflow_task_queue, PollWorkflowTaskQueueRequest),
        ("activity", stage.service.poll_activity_task_queue, PollActivityTaskQueueRequest),
    ):
        short = timedelta(seconds=3)
        await stage.attempt(name, call(request(namespace="default", task_queue=worker.normal), timeout=short))
        await stage.attempt(f"{name}: no queue", call(request(namespace="default"), timeout=short))
        await stage.attempt(f"{name}: no namespace", call(request(task_queue=worker.normal), timeout=short))
        unknown = request(namespace="no-such-namespace", task_queue=worker.normal)
        await stage.attempt(f"{name}: unknown namespace", call(unknown, timeout=short))


@scenario
async def timeout_grows_with_the_attempts(stage: Stage) -> None:
    """From the fourth attempt on a workflow task has more time, so one that always fails is tried ever less often."""
    worker = RawWorker(stage)
    await worker.start(workflow_task_timeout=1)
    for attempt in range(1, 6):
        task = await worker.poll()
        scheduled = task.history.events[-2].workflow_task_scheduled_event_attributes
        longer = scheduled.start_to_close_timeout.ToMilliseconds() - 1_000
        # Temporal leaves out up to a fifth of what is added, at random.
        most = 5_000 * 2 ** (attempt - 4) if attempt > 3 else 0
        stage.record(f"attempt {attempt}", [task.attempt, scheduled.attempt, 0.8 * most <= longer <= most])
