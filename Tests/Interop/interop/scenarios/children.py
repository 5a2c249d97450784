"""Child workflows: how they start, how they end, and what becomes of them when their parent ends."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.enums.v1 import CommandType, ParentClosePolicy, TaskQueueKind, WorkflowIdReusePolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest, TerminateWorkflowExecutionRequest

from ..raw import (
    RawWorker,
    application_failure,
    cancel_workflow,
    complete_workflow,
    fail_workflow,
    nothing_shows,
    payloads,
    set_fields,
    start_timer,
)
from ..stage import Stage
from . import scenario
from .commands import keyword

TERMINATE = ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE
ABANDON = ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON
REQUEST_CANCEL = ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL


class QueueWorker(RawWorker):
    """A worker of another task queue than the scenario's: the children's."""

    def __init__(self, stage: Stage, suffix: str) -> None:
        super().__init__(stage)
        name = f"{stage.name}-{suffix}"
        self.normal = TaskQueue(name=name, kind=TaskQueueKind.TASK_QUEUE_KIND_NORMAL)
        self.sticky = TaskQueue(name=f"{name}-sticky", kind=TaskQueueKind.TASK_QUEUE_KIND_STICKY, normal_name=name)


def start_child(stage: Stage, suffix: str, queue: str = "children", **fields: Any) -> Command:
    """Starts a child of type `Child` on a queue of the children; times in `fields` are seconds."""
    command = Command(command_type=CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)
    attributes = command.start_child_workflow_execution_command_attributes
    attributes.workflow_id = f"{stage.name}-{suffix}"
    attributes.workflow_type.name = "Child"
    attributes.task_queue.name = f"{stage.name}-{queue}"
    for name in ("memo", "search_attributes", "header"):
        for key, value in (fields.pop(name, None) or {}).items():
            target = getattr(attributes, name)
            getattr(target, "indexed_fields" if name == "search_attributes" else "fields")[key].CopyFrom(value)
    if (retry := fields.pop("retry_policy", None)) is not None:
        attributes.retry_policy.SetInParent()
        set_fields(attributes.retry_policy, retry)
    set_fields(attributes, fields)
    return command


def cancel_external(workflow_id: str, **fields: Any) -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)
    attributes = command.request_cancel_external_workflow_execution_command_attributes
    attributes.workflow_id = workflow_id
    set_fields(attributes, fields)
    return command


def events_end(*types: str) -> Callable[[list[str]], bool]:
    return lambda shown: tuple(shown[-len(types) :]) == types


async def until_started(stage: Stage, count: int = 1, workflow_id: str | None = None) -> None:
    await stage.until_history(
        lambda types: types.count("CHILD_WORKFLOW_EXECUTION_STARTED") == count, workflow_id
    )


@scenario
async def child_completes(stage: Stage) -> None:
    """A child with every option: its history, and descriptions of both before, during and after."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start("parent's input", priority=Priority(priority_key=1, fairness_key="f"))
    child_id = f"{stage.name}-child"
    command = start_child(
        stage, "child",
        input=payloads({"a": 1}, "two"), workflow_execution_timeout=600, workflow_run_timeout=300,
        workflow_task_timeout=7, parent_close_policy=ABANDON, control="a control",
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        memo={"note": payloads("a memo").payloads[0]}, header={"trace": payloads("a header").payloads[0]},
    )  # fmt: skip
    await worker.complete(await worker.poll(), command)
    await until_started(stage)
    stage.record("parent while the child runs", await stage.describe())
    stage.record("child while it runs", await stage.describe(child_id))
    task = await child.poll()
    stage.record("child's task", task)
    await child.complete(task, complete_workflow({"result": 42}))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_COMPLETED" in types)
    await worker.complete(await worker.poll())
    stage.record("parent after", await stage.describe())
    stage.record("child after", await stage.describe(child_id))
    await stage.client.get_workflow_handle(stage.name).signal("end")
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await stage.history(child_id, name="child's history")


@scenario
async def child_is_retried(stage: Stage) -> None:
    """Children with retry policies: their parent hears of the last attempt only."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    retry = {"initial_interval": 1, "backoff_coefficient": 1, "maximum_attempts": 2}
    await worker.complete(await worker.poll(), start_child(stage, "first", retry_policy=retry))
    await until_started(stage)
    await worker.complete(await worker.poll())
    await child.complete(await child.poll(), fail_workflow(application_failure("not yet")))
    task = await child.poll()
    stage.record("second attempt", task)
    stage.record("parent while the child is retried", await stage.describe())
    await child.complete(task, complete_workflow("done"))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_COMPLETED" in types)
    await worker.complete(await worker.poll(), start_child(stage, "second", retry_policy=retry))
    await until_started(stage, 2)
    await worker.complete(await worker.poll())
    for attempt in ("one", "two"):
        await child.complete(await child.poll(), fail_workflow(application_failure(attempt)))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_FAILED" in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await stage.history(f"{stage.name}-first", name="first child's last run")
    await stage.history(f"{stage.name}-second", name="second child's last run")


@scenario
async def child_by_defaults(stage: Stage) -> None:
    """A child with nothing but its id, type and summary: queue and timeouts are the parent's or the defaults."""
    worker = RawWorker(stage)
    await worker.start(workflow_run_timeout=500, workflow_execution_timeout=900, workflow_task_timeout=6)
    command = start_child(stage, "child")
    command.user_metadata.summary.CopyFrom(payloads("a summary").payloads[0])
    command.start_child_workflow_execution_command_attributes.ClearField("task_queue")
    await worker.complete(await worker.poll(), command)
    # The tasks of both are on one queue.
    is_completed = False
    while not is_completed:
        task = await worker.poll()
        is_completed = task.workflow_type.name == "Child"
        await worker.complete(task, *([complete_workflow()] if is_completed else []))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_COMPLETED" in types)
    await stage.history(f"{stage.name}-child", name="child's history")
    await stage.client.get_workflow_handle(stage.name).terminate()
    events = await stage.events()
    kept = [each for each in events.events if each.event_type in (29, 31, 32)]
    for number, event in enumerate(kept):
        event.ClearField("event_id")
        attributes = getattr(event, event.WhichOneof("attributes"))
        if hasattr(attributes, "started_event_id"):
            attributes.ClearField("started_event_id")
        stage.record(f"parent's event {number}", event)


@scenario
async def child_fails(stage: Stage) -> None:
    """The child's failure becomes an event of its parent."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child"))
    await until_started(stage)
    failure = application_failure("outer", "Outer", details=payloads({"a": 1}))
    failure.cause.CopyFrom(application_failure("inner", "Inner", non_retryable=True))
    await child.complete(await child.poll(), fail_workflow(failure))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_FAILED" in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def child_cancelled_by_its_parent(stage: Stage) -> None:
    """A cancel request for a child: what both show, with the child's details."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child"))
    await until_started(stage)
    await child.complete(await child.poll())
    task = await worker.poll()
    command = cancel_external(f"{stage.name}-child", child_workflow_only=True, reason="enough", control="c")
    await worker.complete(task, command)
    await stage.until_history(lambda types: "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED" in types)
    await child.complete(await child.poll(), cancel_workflow("a detail"))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_CANCELED" in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await stage.history(f"{stage.name}-child", name="child's history")
    stage.record("child", await stage.describe(f"{stage.name}-child"))


@scenario
async def child_terminated(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child"))
    await until_started(stage)
    await stage.client.get_workflow_handle(f"{stage.name}-child").terminate("a", reason="no longer wanted")
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_TERMINATED" in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def child_times_out(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child", workflow_run_timeout=1))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_TIMED_OUT" in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()
    await stage.history(f"{stage.name}-child", name="child's history")


@scenario
async def child_execution_times_out(stage: Stage) -> None:
    worker = RawWorker(stage)
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child", workflow_execution_timeout=1))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_TIMED_OUT" in types)
    await worker.complete(await worker.poll(), complete_workflow())
    await stage.history()


@scenario
async def child_with_a_used_id(stage: Stage) -> None:
    """Children whose id has a run: an open one, a closed one, by each reuse policy."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child"))
    await until_started(stage)
    await child.poll()
    task = await worker.poll()
    await worker.complete(task, start_child(stage, "child", control="running"))
    await stage.until_history(lambda types: "START_CHILD_WORKFLOW_EXECUTION_FAILED" in types)
    task = await worker.poll()
    pending = (await stage.describe()).pending_children
    stage.record("pending children", [each.workflow_id for each in pending])
    policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
    await worker.complete(task, start_child(stage, "child", workflow_id_reuse_policy=policy))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_TERMINATED" in types)
    await until_started(stage, 2)
    child_handle = stage.client.get_workflow_handle(f"{stage.name}-child")
    await child_handle.terminate()
    await stage.until_history(lambda types: types.count("CHILD_WORKFLOW_EXECUTION_TERMINATED") == 2)
    await worker.complete(await worker.poll(), start_timer("t", 0.1))
    await stage.until_history(lambda types: types[-2:] == ["TIMER_FIRED", "WORKFLOW_TASK_SCHEDULED"])
    initiated = [each for each in (await stage.events()).events if each.event_type in (29, 30)]
    for number, event in enumerate(initiated):
        event.ClearField("event_id")
        attributes = getattr(event, event.WhichOneof("attributes"))
        attributes.ClearField("workflow_task_completed_event_id")
        if event.event_type == 30:
            attributes.ClearField("initiated_event_id")
        stage.record(f"start {number}", event)
    policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
    task = await worker.poll()
    await worker.complete(task, start_child(stage, "child", workflow_id_reuse_policy=policy))
    await stage.until_history(lambda types: types.count("START_CHILD_WORKFLOW_EXECUTION_FAILED") == 2)
    task = await worker.poll()
    policy = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY
    await worker.complete(task, start_child(stage, "child", workflow_id_reuse_policy=policy))
    await until_started(stage, 3)
    await stage.client.get_workflow_handle(stage.name).terminate()


@scenario
async def child_of_a_child(stage: Stage) -> None:
    """The root of the tree in events and descriptions."""
    worker, child, grandchild = RawWorker(stage), QueueWorker(stage, "children"), QueueWorker(stage, "grandchildren")
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "child"))
    await until_started(stage)
    child_id, grandchild_id = f"{stage.name}-child", f"{stage.name}-grandchild"
    await child.complete(await child.poll(), start_child(stage, "grandchild", "grandchildren"))
    await until_started(stage, workflow_id=child_id)
    for name, id in (("parent", stage.name), ("child", child_id), ("grandchild", grandchild_id)):
        stage.record(f"{name} runs", await stage.describe(id))
    await grandchild.complete(await grandchild.poll(), complete_workflow("g"))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_COMPLETED" in types, child_id)
    await child.complete(await child.poll(), complete_workflow("c"))
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_COMPLETED" in types)
    await worker.complete(await worker.poll(), complete_workflow("p"))
    for name, id in (("parent", stage.name), ("child", child_id), ("grandchild", grandchild_id)):
        await stage.history(id, name=f"{name}'s history")


async def end_of_parent(stage: Stage, end: Callable[[RawWorker, Any], Any]) -> None:
    """Three children, one of each policy, and the end of their parent."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    commands = [
        start_child(stage, "terminated", parent_close_policy=TERMINATE),
        start_child(stage, "cancelled", parent_close_policy=REQUEST_CANCEL),
        start_child(stage, "abandoned", parent_close_policy=ABANDON),
        start_child(stage, "default"),
    ]
    # One by one: their order is chance otherwise.
    for number, command in enumerate(commands, start=1):
        await worker.complete(await worker.poll(), command)
        await until_started(stage, number)
        await child.complete(await child.poll())
    stage.record("pending", await stage.describe())
    await end(worker, await worker.poll())
    ends = {"terminated": "WORKFLOW_EXECUTION_TERMINATED", "cancelled": "WORKFLOW_TASK_SCHEDULED",
            "default": "WORKFLOW_EXECUTION_TERMINATED"}  # fmt: skip
    for name, last in ends.items():
        await stage.until_history(events_end(last), f"{stage.name}-{name}")
        await stage.history(f"{stage.name}-{name}", name=f"{name}: history")
    stage.record("abandoned", (await stage.describe(f"{stage.name}-abandoned")).workflow_execution_info)
    stage.record("parent", await stage.describe())
    # The abandoned child's end has nobody to be told to.
    await stage.client.get_workflow_handle(f"{stage.name}-abandoned").terminate()
    await stage.history(f"{stage.name}-abandoned", name="abandoned: history")
    await stage.history()


@scenario
async def parent_completes(stage: Stage) -> None:
    async def end(worker: RawWorker, task: Any) -> None:
        await worker.complete(task, complete_workflow("done"))

    await end_of_parent(stage, end)


@scenario
async def parent_terminated(stage: Stage) -> None:
    async def end(worker: RawWorker, task: Any) -> None:
        await stage.client.get_workflow_handle(stage.name).terminate(reason="no longer wanted")

    await end_of_parent(stage, end)


@scenario
async def parent_ends_with_its_starts(stage: Stage) -> None:
    """Children that are started by the task that ends their parent."""
    worker = RawWorker(stage)
    await worker.start()
    commands = [
        start_child(stage, "terminated", parent_close_policy=TERMINATE),
        start_child(stage, "cancelled", parent_close_policy=REQUEST_CANCEL),
        start_child(stage, "abandoned", parent_close_policy=ABANDON),
    ]
    await worker.complete(await worker.poll(), *commands, complete_workflow())

    await nothing_shows(1)
    for name in ("terminated", "cancelled", "abandoned"):
        await stage.attempt(name, stage.describe(f"{stage.name}-{name}"))
    stage.record("parent", await stage.describe())
    await stage.history()


@scenario
async def child_events_while_a_task_runs(stage: Stage) -> None:
    """Children start and end while their parent's workflow task runs: their events wait for its completion."""
    worker, child = RawWorker(stage), QueueWorker(stage, "children")
    await worker.start()
    commands = [start_child(stage, "first"), start_child(stage, "second", "seconds")]
    handle = stage.client.get_workflow_handle(stage.name)
    first = await worker.poll()
    await worker.complete(first, *commands[:1], force_create_new_workflow_task=True)
    await until_started(stage)
    running = await worker.poll()
    await child.complete(await child.poll(), complete_workflow("a"))
    await nothing_shows(1)
    await handle.signal("a signal")
    await worker.complete(running, commands[1])
    await stage.until_history(lambda types: "CHILD_WORKFLOW_EXECUTION_COMPLETED" in types)
    await until_started(stage, 2)
    task = await worker.poll()
    await worker.complete(task, complete_workflow())
    await stage.until_history(events_end("WORKFLOW_EXECUTION_COMPLETED"))
    order = [each.event_type for each in (await stage.events()).events]
    stage.record("order", [kind for kind in order if kind in (1, 26, 29, 32, 2)])


@scenario
async def two_children(stage: Stage) -> None:
    """Two children of one task end in turn."""
    worker, first, second = RawWorker(stage), QueueWorker(stage, "a"), QueueWorker(stage, "b")
    await worker.start()
    await worker.complete(await worker.poll(), start_child(stage, "first", "a"), start_child(stage, "second", "b"))
    await until_started(stage, 2)
    await worker.complete(await worker.poll())
    await stage.until_history(lambda types: types[-1] == "WORKFLOW_TASK_COMPLETED")
    for child in (second, first):
        await child.complete(await child.poll(), complete_workflow())
        await worker.complete(await worker.poll())
    await stage.until_history(lambda types: types.count("CHILD_WORKFLOW_EXECUTION_COMPLETED") == 2)
    ends = [each for each in (await stage.events()).events if each.event_type == 32]
    attributes = [each.child_workflow_execution_completed_event_attributes for each in ends]
    stage.record("ends", [each.workflow_execution.workflow_id for each in attributes])


BAD_CHILDREN: dict[str, Callable[[Stage], list[Command]]] = {
    "no workflow id": lambda stage: [_child(stage, workflow_id="")],
    "long workflow id": lambda stage: [_child(stage, workflow_id="x" * 1001)],
    "no type": lambda stage: [_child(stage, type="")],
    "long type": lambda stage: [_child(stage, type="x" * 1001)],
    "long queue": lambda stage: [_child(stage, queue="x" * 1001)],
    "reserved queue": lambda stage: [_child(stage, queue="/_sys/q")],
    "negative execution timeout": lambda stage: [_child(stage, workflow_execution_timeout=-1)],
    "negative run timeout": lambda stage: [_child(stage, workflow_run_timeout=-1)],
    "negative task timeout": lambda stage: [_child(stage, workflow_task_timeout=-1)],
    "bad retry policy": lambda stage: [_child(stage, retry={"backoff_coefficient": 0.5})],
    "unknown namespace": lambda stage: [_child(stage, namespace="no-such-namespace")],
    "own workflow id": lambda stage: [_child(stage, workflow_id="own")],
    "nothing set": lambda stage: [_nothing(CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION)],
    "large input": lambda stage: [_child(stage, input=payloads("x" * (2 << 20)))],
}


def _child(stage: Stage, **fields: Any) -> Command:
    command = start_child(stage, "bad")
    attributes = command.start_child_workflow_execution_command_attributes
    if "type" in fields:
        attributes.workflow_type.name = fields.pop("type")
    if "queue" in fields:
        attributes.task_queue.name = fields.pop("queue")
    if "retry" in fields:
        set_fields(attributes.retry_policy, fields.pop("retry"))
    for key, value in (fields.pop("search", None) or {}).items():
        attributes.search_attributes.indexed_fields[key].CopyFrom(value)
    set_fields(attributes, fields)
    return command


def _nothing(type: "CommandType.ValueType") -> Command:
    command = Command(command_type=type)
    name = CommandType.Name(type).removeprefix("COMMAND_TYPE_").lower()
    getattr(command, f"{name}_command_attributes").SetInParent()
    return command


@scenario
async def bad_children(stage: Stage) -> None:
    """Starts of children that the server refuses: the answer, and what the history says."""
    await refused(stage, BAD_CHILDREN)


async def refused(stage: Stage, commands: dict[str, Callable[[Stage], list[Command]]]) -> None:
    worker = RawWorker(stage)
    for number, (name, make) in enumerate(commands.items()):
        workflow_id = f"{stage.name}-{number}"
        await worker.start(workflow_id=workflow_id, request_id=workflow_id)
        task = await worker.poll()
        made = make(stage)
        for command in made:
            kind = command.WhichOneof("attributes")
            attributes = getattr(command, kind)
            if getattr(attributes, "workflow_id", "") == "own":
                attributes.workflow_id = workflow_id
        await stage.attempt(f"{name}: answer", worker.complete(task, *made))
        await nothing_shows(0.3)
        await stage.history(workflow_id, name=f"{name}: history")
        await stage.attempt(f"{name}: end", stage.service.terminate_workflow_execution(
            TerminateWorkflowExecutionRequest(
                namespace="default", workflow_execution=WorkflowExecution(workflow_id=workflow_id)
            )
        ))  # fmt: skip


@scenario
async def child_in_another_namespace(stage: Stage) -> None:
    """A child, a signal and a cancel request across namespaces."""
    namespace = f"{stage.name}-ns"
    await stage.service.register_namespace(
        RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=Duration(seconds=86400))
    )
    worker = RawWorker(stage)
    await worker.start()
    command = start_child(stage, "child", namespace=namespace)
    await stage.attempt("child", worker.complete(await worker.poll(), command))
    await nothing_shows(1)
    await stage.history()


@scenario
async def child_with_a_priority(stage: Stage) -> None:
    """A child's own priority beside its parent's."""
    worker = RawWorker(stage)
    await worker.start(priority=Priority(priority_key=1, fairness_key="f"))
    command = start_child(stage, "child", priority=Priority(priority_key=2))
    await worker.complete(await worker.poll(), command)
    await until_started(stage)
    stage.record("child", await stage.describe(f"{stage.name}-child"))
    await stage.history(f"{stage.name}-child", name="child's history")
    await stage.client.get_workflow_handle(stage.name).terminate()
