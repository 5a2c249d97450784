"""Activities in detail: what descriptions, tasks and events show in each state, and what is too large."""

from google.protobuf.duration_pb2 import Duration

from ..raw import (
    RawWorker,
    application_failure,
    cancel_activity,
    complete_workflow,
    nothing_shows,
    payloads,
    record_marker,
    schedule_activity,
    start_timer,
)
from ..stage import Stage
from . import scenario
from .activities import ONCE, QUICKLY, ended, scheduled

LARGE = "x" * (2 << 20)


@scenario
async def descriptions_of_one_activity(stage: Stage) -> None:
    """Waiting, running, with a heartbeat, in its backoff, due again, running again."""
    retry = {"initial_interval": 1.5, "backoff_coefficient": 3.0, "maximum_attempts": 7,
             "non_retryable_error_types": ["Fatal"]}  # fmt: skip
    worker = await scheduled(
        stage, schedule_to_close_timeout=60, schedule_to_start_timeout=50, start_to_close_timeout=40,
        heartbeat_timeout=30, retry=retry,
    )  # fmt: skip
    stage.record("waiting", await stage.describe())
    task = await worker.poll_activity()
    stage.record("running", await stage.describe())
    await worker.heartbeat(task, {"done": 5})
    stage.record("with a heartbeat", await stage.describe())
    await worker.fail_activity(task, application_failure("first"))
    stage.record("in its backoff", await stage.describe())
    await nothing_shows(2.5)
    stage.record("due again", await stage.describe())
    await worker.poll_activity()
    stage.record("running again", await stage.describe())


@scenario
async def description_with_a_priority(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start()
    command = schedule_activity("a", stage, start_to_close_timeout=60)
    priority = command.schedule_activity_task_command_attributes.priority
    priority.priority_key = 2
    priority.fairness_key = "key"
    priority.fairness_weight = 1.5
    await worker.complete(await worker.poll(), command)
    stage.record("waiting", await stage.describe())
    stage.record("task", await worker.poll_activity())


@scenario
async def no_worker_until_the_deadline(stage: Stage) -> None:
    """Only schedule-to-close is set, and no worker polls: the activity waited too long for one."""
    worker = await scheduled(stage, schedule_to_close_timeout=1)
    await ended(stage, worker)


@scenario
async def failed_with_large_heartbeat_details(stage: Stage) -> None:
    """The details are dropped, and the answer says so."""
    worker = await scheduled(stage, start_to_close_timeout=60, retry=QUICKLY)
    task = await worker.poll_activity()
    await stage.attempt("answer", worker.fail_activity(task, application_failure("first"), LARGE))
    second = await worker.poll_activity()
    stage.record("second attempt", second)
    await worker.complete_activity(second, "done")
    await ended(stage, worker)


@scenario
async def retry_delay_past_the_deadline(stage: Stage) -> None:
    """The failure itself asks for a delay that schedule-to-close does not leave."""
    worker = await scheduled(stage, schedule_to_close_timeout=30, retry=QUICKLY)
    failure = application_failure("wait long", next_retry_delay=Duration(seconds=100))
    await worker.fail_activity(await worker.poll_activity(), failure)
    await ended(stage, worker)


@scenario
async def timeout_named_as_not_retryable(stage: Stage) -> None:
    retry = {**QUICKLY, "non_retryable_error_types": ["TemporalTimeout:StartToClose"]}
    worker = await scheduled(stage, start_to_close_timeout=1, retry=retry)
    await worker.poll_activity()
    await ended(stage, worker)


@scenario
async def heartbeat_keeps_an_attempt_alive(stage: Stage) -> None:
    worker = await scheduled(stage, start_to_close_timeout=60, heartbeat_timeout=2, retry=ONCE)
    task = await worker.poll_activity()
    for step in range(4):
        await nothing_shows(0.8)
        await worker.heartbeat(task, step)
    await worker.complete_activity(task, "done")
    await ended(stage, worker)


@scenario
async def activity_id_used_again(stage: Stage) -> None:
    """Cancelled before a worker has it; the next one of the same id is another activity."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(
        await worker.poll(),
        schedule_activity("a", stage, start_to_close_timeout=60),
        cancel_activity(5),
        schedule_activity("a", stage, start_to_close_timeout=50),
    )
    await stage.history(name="history of the first task")
    await worker.complete_activity(await worker.poll_activity(), "done")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def many_markers(stage: Stage) -> None:
    """Side effects, versions and local activities, a hundred in one task; their details below the limit."""
    worker = RawWorker(stage)
    await worker.start()
    markers = [record_marker(f"side effect {number}", data="x" * 10_000) for number in range(100)]
    await worker.complete(await worker.poll(), *markers, start_timer("behind them", 600))
    await stage.history()


@scenario
async def large_marker(stage: Stage) -> None:
    """Details over the limit end the workflow."""
    worker = RawWorker(stage)
    await worker.start()
    await stage.attempt("answer", worker.complete(await worker.poll(), record_marker("large", data=LARGE)))
    await stage.history()


@scenario
async def large_input_of_an_activity(stage: Stage) -> None:
    """An input over the limit ends the workflow."""
    worker = RawWorker(stage)
    await worker.start()
    command = schedule_activity("a", stage, start_to_close_timeout=60, input=payloads(LARGE))
    await stage.attempt("answer", worker.complete(await worker.poll(), command))
    await stage.history()
