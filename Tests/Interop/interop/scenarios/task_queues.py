"""Task queues and workers: priorities, settings, descriptions, heartbeats."""

import asyncio
from datetime import timedelta
from typing import Any

from google.protobuf.wrappers_pb2 import DoubleValue
from temporalio import activity, workflow
from temporalio.api.common.v1 import Priority
from temporalio.api.enums.v1 import DescribeTaskQueueMode, RateLimitSource, TaskQueueKind, TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue, TaskQueueMetadata
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import (
    CountWorkersRequest,
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkerRequest,
    FetchWorkerConfigRequest,
    ListTaskQueuePartitionsRequest,
    ListWorkersRequest,
    PollActivityTaskQueueRequest,
    RecordWorkerHeartbeatRequest,
    ResetStickyTaskQueueRequest,
    ShutdownWorkerRequest,
    SignalWorkflowExecutionRequest,
    UpdateTaskQueueConfigRequest,
    UpdateWorkerConfigRequest,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from ..raw import RawWorker, complete_workflow, nothing_shows, schedule_activity
from ..stage import Stage
from . import scenario

WORKFLOW = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
ACTIVITY = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
TOO_LONG = "x" * 1001


def with_priority(command: Any, priority: Priority) -> Any:
    command.schedule_activity_task_command_attributes.priority.CopyFrom(priority)
    return command


@scenario
async def priorities_of_activities(stage: Stage) -> None:
    """An activity inherits each field of the priority that it leaves out from its workflow; the history shows its own.

    In which order the tasks come is not compared: Temporal's queue has four partitions, each with an order of its own.
    """
    worker = RawWorker(stage)
    await worker.start(priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=3))
    await worker.complete(
        await worker.poll(),
        schedule_activity("1 none", stage, start_to_close_timeout=50),
        with_priority(schedule_activity("2 key", stage, start_to_close_timeout=50), Priority(priority_key=5)),
        with_priority(schedule_activity("3 fairness", stage, start_to_close_timeout=50), Priority(fairness_key="z")),
        with_priority(schedule_activity("4 weight", stage, start_to_close_timeout=50), Priority(fairness_weight=0.5)),
    )
    stage.record("pending", await stage.describe())
    tasks = [await worker.poll_activity() for _ in range(4)]
    for task in sorted(tasks, key=lambda task: task.activity_id):
        stage.record(task.activity_id, task.priority)
        await worker.complete_activity(task, "done")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def priorities_refused(stage: Stage) -> None:
    """Priorities that no task can have, of starts and of commands; a priority key that is too high is accepted."""
    worker = RawWorker(stage)
    for name, priority in (
        ("negative key", Priority(priority_key=-1)),
        ("long fairness key", Priority(fairness_key="k" * 65)),
        ("negative weight", Priority(fairness_weight=-1)),
    ):
        await stage.attempt(name, worker.start(priority=priority))
    await worker.start(priority=Priority(priority_key=99))
    bad = with_priority(schedule_activity("a", stage, start_to_close_timeout=5), Priority(priority_key=-2))
    await stage.attempt("bad command", worker.complete(await worker.poll(), bad))
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


def describe(stage: Stage, **fields: Any) -> Any:
    fields.setdefault("task_queue", TaskQueue(name=stage.name))
    fields.setdefault("namespace", stage.client.namespace)
    return stage.service.describe_task_queue(DescribeTaskQueueRequest(**fields))


def shown(answer: DescribeTaskQueueResponse) -> DescribeTaskQueueResponse:
    """A description without what Temporal says of its own machinery: the limit of the whole server (Sagamore has none),
    the rate that stands for it in the status, and the ids of its task store."""
    if answer.effective_rate_limit.rate_limit_source == RateLimitSource.RATE_LIMIT_SOURCE_SYSTEM:
        answer.ClearField("effective_rate_limit")
        answer.task_queue_status.ClearField("rate_per_second")
    answer.task_queue_status.ClearField("task_id_block")
    if not answer.task_queue_status.ListFields():
        answer.ClearField("task_queue_status")
    return answer


@scenario
async def task_queue_descriptions(stage: Stage) -> None:
    """A queue that nobody has used, in all modes; and what cannot be described."""
    stage.record("plain", shown(await describe(stage, task_queue_type=WORKFLOW)))
    stage.record("no type", shown(await describe(stage)))
    everything = {"report_stats": True, "report_config": True, "include_task_queue_status": True}
    stage.record("everything", shown(await describe(stage, task_queue_type=ACTIVITY, **everything)))
    enhanced = DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED
    stage.record("enhanced", shown(await describe(stage, api_mode=enhanced)))
    stage.record("enhanced, one type", shown(await describe(stage, api_mode=enhanced, task_queue_types=[ACTIVITY])))
    sticky = TaskQueue(name="s", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=stage.name)
    await stage.attempt("figures of a sticky queue", describe(stage, task_queue=sticky, report_stats=True))
    await stage.attempt("no queue", describe(stage, task_queue=None))
    await stage.attempt("no name", describe(stage, task_queue=TaskQueue()))
    await stage.attempt("long name", describe(stage, task_queue=TaskQueue(name=TOO_LONG)))
    await stage.attempt("no namespace", describe(stage, namespace=""))
    await stage.attempt("unknown namespace", describe(stage, namespace="nowhere"))
    partitions = await stage.service.list_task_queue_partitions(
        ListTaskQueuePartitionsRequest(namespace=stage.client.namespace, task_queue=TaskQueue(name=stage.name))
    )
    # Temporal has four, Sagamore one: the root.
    stage.record("root partition", partitions.workflow_task_queue_partitions[0])
    request = ListTaskQueuePartitionsRequest(namespace=stage.client.namespace)
    await stage.attempt("partitions of no queue", stage.service.list_task_queue_partitions(request))


@scenario
async def task_queue_with_tasks(stage: Stage) -> None:
    """Figures of a workflow task and of activities that wait, by priority, and the worker that polls them."""
    worker = RawWorker(stage)
    await worker.start(priority=Priority(priority_key=1))

    async def waiting(type: int, count: int) -> bool:
        answer = await describe(stage, task_queue_type=type, report_stats=True)
        return answer.stats.approximate_backlog_count == count

    await stage.until(lambda: waiting(WORKFLOW, 1))
    stage.record("workflow", shown(await describe(stage, report_stats=True)))
    await worker.complete(
        await worker.poll(),
        schedule_activity("a", stage, start_to_close_timeout=50),
        with_priority(schedule_activity("b", stage, start_to_close_timeout=50), Priority(priority_key=4)),
    )
    await stage.until(lambda: waiting(ACTIVITY, 2))
    answer = await describe(stage, task_queue_type=ACTIVITY, report_stats=True)
    counts = {key: figures.approximate_backlog_count for key, figures in answer.stats_by_priority_key.items()}
    stage.record("waiting activities", {str(key): counts[key] for key in sorted(counts)})


@scenario
async def task_queue_pollers(stage: Stage) -> None:
    """The pollers of a queue with the rate that they ask for, which holds unless the queue's settings have one."""
    metadata = TaskQueueMetadata(max_tasks_per_second=DoubleValue(value=7))
    request = PollActivityTaskQueueRequest(
        namespace=stage.client.namespace,
        task_queue=TaskQueue(name=stage.name),
        identity="poller",
        task_queue_metadata=metadata,
    )
    poll = asyncio.create_task(stage.service.poll_activity_task_queue(request, timeout=timedelta(seconds=6)))

    async def described() -> Any:
        return await describe(stage, task_queue_type=ACTIVITY, include_task_queue_status=True)

    async def is_known() -> bool:
        answer = await described()
        return bool(answer.pollers) and answer.effective_rate_limit.requests_per_second == 7

    await stage.until(is_known)
    stage.record("polled", shown(await described()))
    await stage.attempt("limited", update(stage, update_queue_rate_limit=limit(3)))

    async def is_limited() -> bool:
        return (await described()).effective_rate_limit.requests_per_second == 3

    await stage.until(is_limited)
    stage.record("with settings", shown(await described()))
    poll.cancel()


def limit(rate: float | None, reason: str = "because") -> Any:
    update = UpdateTaskQueueConfigRequest.RateLimitUpdate(reason=reason)
    if rate is not None:
        update.rate_limit.CopyFrom(RateLimit(requests_per_second=rate))
    return update


def update(stage: Stage, **fields: Any) -> Any:
    fields.setdefault("task_queue_type", ACTIVITY)
    fields.setdefault("task_queue", stage.name)
    fields.setdefault("identity", "operator")
    request = UpdateTaskQueueConfigRequest(namespace=fields.pop("namespace", stage.client.namespace), **fields)
    return stage.service.update_task_queue_config(request)


@scenario
async def task_queue_settings(stage: Stage) -> None:
    """Rate limits and weights: what is stored of them, what is refused, and what a description shows."""
    rules: list[tuple[str, dict[str, Any]]] = [
        ("nothing", {}),
        ("limit", {"update_queue_rate_limit": limit(5)}),
        ("limit of keys", {"update_fairness_key_rate_limit_default": limit(0.5, "")}),
        ("limit removed", {"update_queue_rate_limit": limit(None, "over")}),
        ("zero", {"update_queue_rate_limit": limit(0)}),
        ("weights", {"set_fairness_weight_overrides": {"a": 5, "b": 0.5}}),
        ("weights changed", {"set_fairness_weight_overrides": {"c": 5000}, "unset_fairness_weight_overrides": ["a"]}),
        ("weights of workflow tasks", {"task_queue_type": WORKFLOW, "set_fairness_weight_overrides": {"c": 1}}),
        ("limit of workflow tasks", {"task_queue_type": WORKFLOW, "update_queue_rate_limit": limit(5)}),
        (
            "limit of keys of workflow tasks",
            {"task_queue_type": WORKFLOW, "update_fairness_key_rate_limit_default": limit(5)},
        ),
        ("negative limit", {"update_queue_rate_limit": limit(-1)}),
        ("negative limit of keys", {"update_fairness_key_rate_limit_default": limit(-1)}),
        ("long reason", {"update_queue_rate_limit": limit(1, TOO_LONG)}),
        ("long reason of keys", {"update_fairness_key_rate_limit_default": limit(1, TOO_LONG)}),
        ("long identity", {"identity": TOO_LONG, "update_queue_rate_limit": limit(1)}),
        ("reserved name", {"task_queue": "/_sys/q/1", "update_queue_rate_limit": limit(1)}),
        ("set and unset", {"set_fairness_weight_overrides": {"d": 5}, "unset_fairness_weight_overrides": ["d"]}),
        ("weight of zero", {"set_fairness_weight_overrides": {"d": 0}}),
        ("negative weight", {"set_fairness_weight_overrides": {"d": -1}}),
        ("long key", {"set_fairness_weight_overrides": {"k" * 65: 1}}),
        ("too many weights", {"set_fairness_weight_overrides": {str(number): 1 for number in range(1100)}}),
        ("unknown namespace", {"namespace": "nowhere", "update_queue_rate_limit": limit(1)}),
    ]
    for name, fields in rules:
        await stage.attempt(name, update(stage, **fields))

    async def described(type: int) -> Any:
        return await describe(stage, task_queue_type=type, report_config=True)

    async def is_known() -> bool:
        return bool((await described(ACTIVITY)).config.fairness_weight_overrides)

    await stage.until(is_known)
    stage.record("described", shown(await described(ACTIVITY)))
    stage.record("described, of workflow tasks", shown(await described(WORKFLOW)))


@scenario
async def sticky_queue_reset_refused(stage: Stage) -> None:
    """Workflows whose sticky queue cannot be reset."""
    for name, execution in (("missing", {"workflow_id": "nowhere"}), ("bad run", {"workflow_id": "w", "run_id": "x"})):
        request = ResetStickyTaskQueueRequest(namespace=stage.client.namespace)
        for field, value in execution.items():
            setattr(request.execution, field, value)
        await stage.attempt(name, stage.service.reset_sticky_task_queue(request))
    request = ResetStickyTaskQueueRequest(namespace=stage.client.namespace)
    await stage.attempt("no workflow", stage.service.reset_sticky_task_queue(request))


@scenario
async def sticky_queue_reset(stage: Stage) -> None:
    """A workflow whose worker has it in its cache: its next task goes to any worker, with the whole history."""
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), sticky=True)
    request = ResetStickyTaskQueueRequest(namespace=stage.client.namespace)
    request.execution.workflow_id = stage.name
    await stage.attempt("reset", stage.service.reset_sticky_task_queue(request))
    await stage.attempt("reset again", stage.service.reset_sticky_task_queue(request))
    signal = SignalWorkflowExecutionRequest(namespace=stage.client.namespace, signal_name="go", identity="raw client")
    signal.workflow_execution.workflow_id = stage.name
    await stage.service.signal_workflow_execution(signal)
    task = await worker.poll()
    stage.record("events of the task", len(task.history.events))
    await worker.complete(task, complete_workflow())
    await stage.history()
    await stage.attempt("reset after the end", stage.service.reset_sticky_task_queue(request))


@scenario
async def worker_heartbeats(stage: Stage) -> None:
    """Workers are listed, counted and described by their heartbeats until they shut down."""
    namespace = stage.client.namespace
    service = stage.service

    def heartbeat(key: str, **fields: Any) -> WorkerHeartbeat:
        fields.setdefault("status", WorkerStatus.WORKER_STATUS_RUNNING)
        fields.setdefault("sdk_version", "1")
        return WorkerHeartbeat(
            worker_instance_key=key, task_queue=stage.name, sdk_name="raw", **fields
        )

    def record(*heartbeats: WorkerHeartbeat) -> Any:
        request = RecordWorkerHeartbeatRequest(namespace=namespace, identity="raw", worker_heartbeat=heartbeats)
        return service.record_worker_heartbeat(request)

    mine = f"TaskQueue='{stage.name}'"
    await stage.attempt("recorded", record(heartbeat("w1"), heartbeat("w2", sdk_version="2"), heartbeat("w3")))
    for query in (
        mine,
        f"{mine} AND SdkVersion='2'",
        f"{mine} AND (SdkVersion='2' OR WorkerInstanceKey='w1')",
        f"{mine} AND SdkVersion != '2'",
        f"{mine} AND WorkerStatus='Running'",
        f"{mine} AND WorkerStatus='Shutdown'",
        f"{mine} AND WorkerInstanceKey STARTS_WITH 'w'",
        "TaskQueue='nowhere'",
    ):
        answer = await service.list_workers(ListWorkersRequest(namespace=namespace, query=query))
        stage.record(query, sorted(each.worker_instance_key for each in answer.workers))
    answer = await service.list_workers(ListWorkersRequest(namespace=namespace, query=f"{mine} AND SdkVersion='2'"))
    stage.record("one", answer)
    await stage.attempt("count", service.count_workers(CountWorkersRequest(namespace=namespace, query=mine)))
    describe = DescribeWorkerRequest(namespace=namespace, worker_instance_key="w2")
    await stage.attempt("described", service.describe_worker(describe))
    stopped = heartbeat("w2", status=WorkerStatus.WORKER_STATUS_SHUTDOWN)
    request = ShutdownWorkerRequest(
        namespace=namespace, sticky_task_queue="s", identity="raw", worker_heartbeat=stopped
    )
    await stage.attempt("shut down", service.shutdown_worker(request))
    await stage.attempt("described after its shutdown", service.describe_worker(describe))
    unknown = ListWorkersRequest(namespace="nowhere")
    await stage.attempt("unknown namespace", service.list_workers(unknown))
    bad = ListWorkersRequest(namespace=namespace, next_page_token=b"x")
    await stage.attempt("bad page token", service.list_workers(bad))
    await stage.attempt("fetch", service.fetch_worker_config(FetchWorkerConfigRequest(namespace=namespace)))
    await stage.attempt("update", service.update_worker_config(UpdateWorkerConfigRequest(namespace=namespace)))


@scenario
async def worker_stops_after_a_fatal_error(stage: Stage) -> None:
    """A worker of the SDK whose poll fails for good stops at once: the server ends its other polls."""
    for method in ("poll_workflow_activation", "poll_activity_task"):
        worker = Worker(
            stage.client,
            task_queue=stage.name,
            workflows=[Idle],
            activities=[idle],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        fail_once(worker, method)
        try:
            async with asyncio.timeout(10):
                await worker.run()
        except RuntimeError as error:
            stage.record(method, str(error))


def fail_once(worker: Worker, method: str) -> None:
    """Makes the first poll fail while the call that it stands for goes on; later polls take that call's answer."""
    bridge = worker._bridge_worker
    poll = getattr(bridge, method)
    calls: list[asyncio.Task[Any]] = []

    async def instead() -> Any:
        if not calls:
            calls.append(asyncio.create_task(poll()))
            await asyncio.sleep(0.3)
            raise RuntimeError("fatal")
        return await (calls[0] if len(calls) == 1 and not calls[0].done() else poll())

    setattr(bridge, method, instead)


@workflow.defn
class Idle:
    @workflow.run
    async def run(self) -> None:
        pass


@activity.defn
async def idle() -> None:
    pass


@scenario
async def polls_are_scaled(stage: Stage) -> None:
    """What a worker is told of the number of its polls: of one that waited, and of tasks that did."""
    worker = RawWorker(stage)
    poll = asyncio.create_task(worker.poll())
    await nothing_shows(1.5)
    await worker.start()
    task = await poll
    stage.record("after a poll that waited", task.poller_scaling_decision.poll_request_delta_suggestion)
    await worker.complete(task, *(schedule_activity(str(id), stage, start_to_close_timeout=50) for id in range(40)))
    await nothing_shows(2)
    task = await worker.poll_activity()
    stage.record("after tasks that waited", task.poller_scaling_decision.poll_request_delta_suggestion)
