"""Activities, answered without an SDK: retries, timeouts, heartbeats, cancellation, late answers."""

import asyncio
from collections.abc import Awaitable, Callable

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueResponse

from ..raw import (
    RawWorker,
    application_failure,
    cancel_activity,
    complete_workflow,
    payloads,
    schedule_activity,
    start_timer,
)
from ..stage import Stage
from . import scenario

ONCE = {"maximum_attempts": 1}
QUICKLY = {"initial_interval": 0.1, "backoff_coefficient": 1.0}


async def scheduled(stage: Stage, **fields: object) -> RawWorker:
    """A workflow that has scheduled one activity and waits for it."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), schedule_activity("a", stage, **fields))
    return worker


async def ended(stage: Stage, worker: RawWorker) -> None:
    """Takes the workflow task that the activity's end caused, completes the workflow, keeps the history."""
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def activity_defaults(stage: Stage) -> None:
    """What the server fills in: only schedule-to-close given; only start-to-close; a workflow's run timeout."""
    worker = RawWorker(stage)
    await worker.start(workflow_run_timeout=100)
    await worker.complete(
        await worker.poll(),
        schedule_activity("schedule-to-close only", stage, schedule_to_close_timeout=50),
        schedule_activity("start-to-close only", stage, start_to_close_timeout=50),
        schedule_activity("longer than the run", stage, start_to_close_timeout=500, heartbeat_timeout=900),
        schedule_activity("all", stage, schedule_to_close_timeout=40, schedule_to_start_timeout=60,
                          start_to_close_timeout=70, heartbeat_timeout=80),
        schedule_activity("retry policy", stage, start_to_close_timeout=50,
                          retry={"initial_interval": 2, "maximum_attempts": 3, "non_retryable_error_types": ["Fatal"]}),
        schedule_activity("empty retry policy", stage, start_to_close_timeout=50, retry={}),
        complete_workflow(),
    )  # fmt: skip
    await stage.history()


@scenario
async def schedule_to_start_timeout(stage: Stage) -> None:
    worker = await scheduled(stage, schedule_to_start_timeout=1, start_to_close_timeout=10)
    await ended(stage, worker)


@scenario
async def start_to_close_timeout(stage: Stage) -> None:
    """The only attempt is never answered."""
    worker = await scheduled(stage, start_to_close_timeout=1, retry=ONCE)
    task = await worker.poll_activity()
    await worker.heartbeat(task, "half way")
    closing = await worker.poll()
    await stage.attempt("completed too late", worker.complete_activity(task, "late"))
    await stage.attempt("heartbeat too late", worker.heartbeat(task, "late"))
    await worker.complete(closing, complete_workflow())
    await stage.history()


@scenario
async def start_to_close_timeout_retried(stage: Stage) -> None:
    """The first attempt times out, the second one gets the heartbeat's details and succeeds."""
    worker = await scheduled(stage, start_to_close_timeout=1, retry=QUICKLY)
    first = await worker.poll_activity()
    await worker.heartbeat(first, "half way")
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    await stage.attempt("first attempt completed late", worker.complete_activity(first, "late"))
    await worker.complete_activity(second, "done")
    await ended(stage, worker)


@scenario
async def descriptions_of_attempts(stage: Stage) -> None:
    """How an attempt is described after one that failed and one that timed out, while it waits and while it runs.

    When the one before has timed out, its end is not compared: Temporal tells that of the last attempt that a worker
    has ended, however long ago, or none, and reckons the pause from there.
    """
    retry = {"initial_interval": 2, "backoff_coefficient": 1.0}
    worker = await scheduled(stage, start_to_close_timeout=2, retry=retry)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first"), "so far")
    await worker.heartbeat(await worker.poll_activity(), "further")
    stage.record("running after a failure", await stage.describe())

    async def is_third() -> bool:
        return (await stage.describe()).pending_activities[0].attempt == 3

    await stage.until(is_third)
    stage.record("waiting after a timeout", await stage.describe())
    await worker.complete_activity(await worker.poll_activity(), "done")
    await ended(stage, worker)


@scenario
async def schedule_to_close_timeout(stage: Stage) -> None:
    """The deadline passes while the first attempt runs."""
    worker = await scheduled(stage, schedule_to_close_timeout=1)
    await worker.poll_activity()
    await ended(stage, worker)


@scenario
async def schedule_to_close_timeout_in_a_retry(stage: Stage) -> None:
    """The deadline passes while the second attempt runs: the failure's cause is the first attempt's."""
    worker = await scheduled(stage, schedule_to_close_timeout=4, start_to_close_timeout=60, retry=QUICKLY)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first attempt"))
    await worker.poll_activity()
    await ended(stage, worker)


@scenario
async def no_time_for_a_retry(stage: Stage) -> None:
    """The next retry would pass schedule-to-close: the activity fails at once."""
    retry = {"initial_interval": 60}
    worker = await scheduled(stage, schedule_to_close_timeout=20, start_to_close_timeout=20, retry=retry)
    await worker.fail_activity(await worker.poll_activity(), application_failure("first attempt"))
    await ended(stage, worker)


@scenario
async def heartbeat_timeout(stage: Stage) -> None:
    """The only attempt stops to heartbeat: its last details are in the failure."""
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=1, retry=ONCE)
    task = await worker.poll_activity()
    stage.record("answer", await worker.heartbeat(task, {"done": 5}))
    await ended(stage, worker)


@scenario
async def heartbeat_timeout_retried(stage: Stage) -> None:
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=1, retry=QUICKLY)
    await worker.heartbeat(await worker.poll_activity(), {"done": 5})
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    stage.record("description", await stage.describe())
    await worker.complete_activity(second)
    await ended(stage, worker)


@scenario
async def maximum_attempts(stage: Stage) -> None:
    """Both attempts fail; while the second is due the description shows the first failure."""
    worker = await scheduled(stage, start_to_close_timeout=60, retry={"initial_interval": 2, "maximum_attempts": 2})
    first = await worker.poll_activity()
    failure = application_failure("first", "First", details=payloads("why"))
    stage.record("answer to the first failure", await worker.fail_activity(first, failure, "so far"))
    stage.record("description between attempts", await stage.describe())
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    await stage.attempt("first attempt failed again", worker.fail_activity(first, failure))
    await worker.fail_activity(second, application_failure("second", "Second"))
    await ended(stage, worker)


@scenario
async def non_retryable_failure(stage: Stage) -> None:
    worker = await scheduled(stage, start_to_close_timeout=60)
    await worker.fail_activity(await worker.poll_activity(), application_failure("fatal", non_retryable=True))
    await ended(stage, worker)


@scenario
async def non_retryable_type(stage: Stage) -> None:
    retry = {"non_retryable_error_types": ["Fatal"]}
    worker = await scheduled(stage, start_to_close_timeout=60, retry=retry)
    await worker.fail_activity(await worker.poll_activity(), application_failure("fatal", "Fatal"))
    await ended(stage, worker)


@scenario
async def next_retry_delay(stage: Stage) -> None:
    """The failure itself says when to try again."""
    worker = await scheduled(stage, start_to_close_timeout=60, retry={"initial_interval": 600})
    failure = application_failure("wait a little", next_retry_delay=Duration(seconds=1))
    await worker.fail_activity(await worker.poll_activity(), failure)
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    await worker.complete_activity(second)
    await ended(stage, worker)


@scenario
async def activity_cancelled_before_its_start(stage: Stage) -> None:
    """Cancelled in the task that schedules it, and in a later one: no worker has taken either."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(
        await worker.poll(),
        schedule_activity("at once", stage, start_to_close_timeout=60),
        schedule_activity("later", stage, start_to_close_timeout=60),
        cancel_activity(5),
    )
    await stage.history(name="history of the first task")
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(6))
    task = await worker.poll()
    stage.record("task with the cancellation", task)
    await worker.complete(task, complete_workflow())
    await stage.history()


@scenario
async def cancellation_before_other_commands(stage: Stage) -> None:
    """The end of a cancelled activity that no worker has taken stands behind the commands that follow its cancellation,
    whether the same task has scheduled it or an earlier one."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(
        await worker.poll(),
        schedule_activity("at once", stage, start_to_close_timeout=60),
        cancel_activity(5),
        start_timer("behind it", 600),
        schedule_activity("earlier", stage, start_to_close_timeout=60),
    )
    await stage.history(name="history of the first task")
    await stage.client.get_workflow_handle(stage.name).signal("next")
    task = await worker.poll()
    earlier = next(
        event.event_id
        for event in (await stage.events()).events
        if event.activity_task_scheduled_event_attributes.activity_id == "earlier"
    )
    await worker.complete(task, cancel_activity(earlier), start_timer("behind that", 600))
    await stage.history(name="history of the second task")
    task = await worker.poll()
    await worker.complete(task, start_timer("third", 600), complete_workflow())
    await stage.history()


@scenario
async def cancellation_before_the_end(stage: Stage) -> None:
    """An activity that no worker has taken is cancelled by the task that ends the workflow."""
    worker = await scheduled(stage, start_to_close_timeout=60)
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(5), complete_workflow())
    await stage.history()


@scenario
async def scheduled_cancelled_and_ended(stage: Stage) -> None:
    """One task schedules an activity, cancels it and ends the workflow."""
    worker = RawWorker(stage)
    await worker.start()
    schedule = schedule_activity("a", stage, start_to_close_timeout=60)
    await worker.complete(await worker.poll(), schedule, cancel_activity(5), complete_workflow())
    await stage.history()


@scenario
async def eager_activity_cancelled_at_once(stage: Stage) -> None:
    """The task that asks for an activity in its own answer cancels it."""
    worker = RawWorker(stage)
    await worker.start()
    task = await worker.poll()
    schedule = schedule_activity("a", stage, start_to_close_timeout=60)
    schedule.schedule_activity_task_command_attributes.request_eager_execution = True
    answer = await worker.complete(task, schedule, cancel_activity(5), start_timer("behind it", 600))
    stage.record("activities in the answer", len(answer.activity_tasks))
    await stage.history(name="history of the first task")


@scenario
async def cancellation_with_a_signal_behind(stage: Stage) -> None:
    """A signal waits for the end of the task that cancels an activity, and an activity ends meanwhile."""
    worker = RawWorker(stage)
    await worker.start()
    waits = schedule_activity("waits", stage, start_to_close_timeout=60)
    # On a queue of its own: which of two tasks a poll gets is not determined.
    waits.schedule_activity_task_command_attributes.task_queue.name += "-beside"
    await worker.complete(await worker.poll(), schedule_activity("ends", stage, start_to_close_timeout=60), waits)
    running = await worker.poll_activity()
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("first")
    task = await worker.poll()
    await worker.complete_activity(running, "done")
    await handle.signal("second")
    await worker.complete(task, cancel_activity(6), start_timer("behind it", 600))
    await stage.history()


@scenario
async def large_failure_is_cut_for_the_next_attempt(stage: Stage) -> None:
    """What is kept of a failure for the next attempt: 4 KiB."""
    worker = await scheduled(stage, start_to_close_timeout=60, retry=QUICKLY)
    message = application_failure("x" * 10_000)
    message.stack_trace = "y" * 10_000
    trace = application_failure("short")
    trace.source = "worker"
    trace.stack_trace = "y" * 10_000
    trace.cause.CopyFrom(application_failure("cause"))
    cause = application_failure("short")
    cause.source = "worker"
    cause.stack_trace = "y" * 1_000
    cause.cause.CopyFrom(application_failure("z" * 10_000))
    fits = application_failure("x" * 3_000)
    for failure in [message, trace, cause, fits]:
        await worker.fail_activity(await worker.poll_activity(), failure)
        pending = (await stage.describe()).pending_activities[0]
        stage.record(f"after a failure of {failure.ByteSize()} bytes", pending.last_failure)
    task = await worker.poll_activity()
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def activity_cancelled_in_its_backoff(stage: Stage) -> None:
    """Cancelled while it waits for its next attempt."""
    worker = await scheduled(stage, start_to_close_timeout=60, retry={"initial_interval": 600})
    await worker.fail_activity(await worker.poll_activity(), application_failure("first attempt"))
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(5))
    await ended(stage, worker)


async def cancel_requested(stage: Stage) -> tuple[RawWorker, PollActivityTaskQueueResponse]:
    """An activity runs, its cancellation has been requested and was told with a heartbeat's answer."""
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30, retry=QUICKLY)
    activity = await worker.poll_activity()
    stage.record("heartbeat before", await worker.heartbeat(activity, 1))
    await stage.attempt("cancelled without a request", worker.cancel_activity(activity, "too early"))
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), cancel_activity(5))
    stage.record("heartbeat after", await worker.heartbeat(activity, 2))
    stage.record("description", await stage.describe())
    return worker, activity


@scenario
async def running_activity_cancelled(stage: Stage) -> None:
    worker, activity = await cancel_requested(stage)
    stage.record("answer", await worker.cancel_activity(activity, {"cleaned": "up"}))
    await ended(stage, worker)


@scenario
async def cancelled_activity_completes(stage: Stage) -> None:
    worker, activity = await cancel_requested(stage)
    await worker.complete_activity(activity, "all the same")
    await ended(stage, worker)


@scenario
async def cancelled_activity_fails(stage: Stage) -> None:
    """A failure after the cancel request is not retried."""
    worker, activity = await cancel_requested(stage)
    await worker.fail_activity(activity, application_failure("all the same"))
    await ended(stage, worker)


@scenario
async def late_activity_answers(stage: Stage) -> None:
    """Answers sent twice, after the workflow closed, with a broken token."""
    worker = await scheduled(stage, start_to_close_timeout=60)
    task = await worker.poll_activity()
    await worker.complete_activity(task, "done")
    broken = PollActivityTaskQueueResponse(task_token=b"\x01\x02broken")
    answers: dict[str, Callable[[PollActivityTaskQueueResponse], Awaitable[object]]] = {
        "completed": lambda task: worker.complete_activity(task, "again"),
        "failed": lambda task: worker.fail_activity(task, application_failure("again")),
        "cancelled": worker.cancel_activity,
        "heartbeat": worker.heartbeat,
    }
    for name, answer in answers.items():
        await stage.attempt(f"{name} again", answer(task))
    await ended(stage, worker)
    for name, answer in answers.items():
        await stage.attempt(f"{name} after the end", answer(task))
        await stage.attempt(f"{name} with a broken token", answer(broken))
        await stage.attempt(f"{name} without a token", answer(PollActivityTaskQueueResponse()))


@scenario
async def closed_with_a_running_activity(stage: Stage) -> None:
    """The workflow completes while its activity runs; the description still shows it."""
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=30)
    activity = await worker.poll_activity()
    await stage.client.get_workflow_handle(stage.name).signal("next")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.attempt("completed", worker.complete_activity(activity, "too late"))
    await stage.attempt("heartbeat", worker.heartbeat(activity))
    await stage.history()
    stage.record("description", await stage.describe())


@scenario
async def activity_completes_while_a_task_runs(stage: Stage) -> None:
    """Its events wait for the completion of the workflow task, in the order in which they came."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(
        await worker.poll(),
        schedule_activity("a", stage, start_to_close_timeout=60, request_eager_execution=False),
        start_timer("t", 600),
    )
    activity = await worker.poll_activity()
    handle = stage.client.get_workflow_handle(stage.name)
    await handle.signal("first")
    running = await worker.poll()
    await handle.signal("second")
    await worker.complete_activity(activity, "done")
    await handle.signal("third")
    await worker.complete(running, schedule_activity("b", stage, start_to_close_timeout=60))
    task = await worker.poll()
    stage.record("task", task)
    await worker.complete(task, complete_workflow())
    await stage.history()


@scenario
async def two_activities_at_once(stage: Stage) -> None:
    """The second one's end arrives while the workflow task caused by the first is due: no further task."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(
        await worker.poll(),
        schedule_activity("a", stage, start_to_close_timeout=60),
        schedule_activity("b", stage, start_to_close_timeout=60),
    )
    tasks = sorted(await asyncio.gather(worker.poll_activity(), worker.poll_activity()), key=lambda t: t.activity_id)
    await worker.complete_activity(tasks[1], "b")
    await worker.complete_activity(tasks[0], "a")
    await ended(stage, worker)


@scenario
async def unknown_activity_type(stage: Stage) -> None:
    """A worker of the SDK that does not know the activity's type."""
    from datetime import timedelta

    from temporalio import activity

    @activity.defn(name="known")
    async def known() -> None: ...

    worker = await scheduled(stage, start_to_close_timeout=60, retry=ONCE)
    async with stage.worker(activities=[known], graceful_shutdown_timeout=timedelta()):
        await stage.until_history(lambda types: "ACTIVITY_TASK_FAILED" in types)
    await ended(stage, worker)
