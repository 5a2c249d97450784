"""Namespaces: registered, updated, deprecated, deleted; and that none sees another."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from google.protobuf import message_factory
from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.namespace.v1 import (
    BadBinaries,
    BadBinaryInfo,
    NamespaceConfig,
    NamespaceFilter,
    UpdateNamespaceInfo,
)
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.replication.v1 import ClusterReplicationConfig, NamespaceReplicationConfig
from temporalio.api.workflowservice.v1 import (
    DeprecateNamespaceRequest,
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    ListNamespacesRequest,
    PollActivityTaskQueueResponse,
    QueryWorkflowRequest,
    RecordActivityTaskHeartbeatRequest,
    RegisterNamespaceRequest,
    RequestCancelWorkflowExecutionRequest,
    RespondActivityTaskCanceledRequest,
    RespondActivityTaskCompletedRequest,
    RespondActivityTaskFailedRequest,
    RespondWorkflowTaskCompletedRequest,
    RespondWorkflowTaskFailedRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
    UpdateNamespaceRequest,
)
from temporalio.api.workflowservice.v1 import service_pb2 as workflow_service
from temporalio.service import RPCError, RPCStatusCode

from ..raw import RawWorker, complete_workflow, schedule_activity, start_request, start_timer
from ..stage import Stage
from . import scenario

DAY = 86_400


async def admitted(stage: Stage, call: Callable[[], Awaitable[Any]]) -> Any:
    """A call again and again until the Temporal server, which counts calls of this kind, lets it pass."""
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status != RPCStatusCode.RESOURCE_EXHAUSTED:
                raise
        await asyncio.sleep(0.3)


async def register(stage: Stage, name: str, seconds: int | None = 3 * DAY, **fields: Any) -> Any:
    request = RegisterNamespaceRequest(namespace=name, **fields)
    if seconds is not None:
        request.workflow_execution_retention_period.FromSeconds(seconds)
    return await admitted(stage, lambda: stage.service.register_namespace(request))


async def update(stage: Stage, name: str, **fields: Any) -> Any:
    request = UpdateNamespaceRequest(namespace=name, **fields)
    return await admitted(stage, lambda: stage.service.update_namespace(request))


async def describe(stage: Stage, **fields: Any) -> Any:
    request = DescribeNamespaceRequest(**fields)
    return await admitted(stage, lambda: stage.service.describe_namespace(request))


async def delete(stage: Stage, **fields: Any) -> Any:
    request = DeleteNamespaceRequest(**fields)
    return await admitted(stage, lambda: stage.client.operator_service.delete_namespace(request))


def comparable(described: Any) -> Message:
    """What a namespace is, without what its server can do and its id."""
    kept = type(described)()
    kept.CopyFrom(described)
    for field in ("capabilities", "limits", "supports_schedules", "id"):
        kept.namespace_info.ClearField(field)
    for binary in kept.config.bad_binaries.binaries.values():
        binary.ClearField("create_time")
    result: Message = kept
    return result


async def shown(stage: Stage, name: str, call: Awaitable[Any]) -> None:
    """Keeps what comes of a call that answers with a namespace."""
    try:
        answer = await call
    except RPCError as error:
        stage.record(name, error)
        return
    stage.record(name, comparable(answer))


def retention(seconds: int) -> NamespaceConfig:
    config = NamespaceConfig()
    config.workflow_execution_retention_ttl.FromSeconds(seconds)
    return config


@scenario
async def namespaces_registered(stage: Stage) -> None:
    """Names and retentions that are taken and refused."""
    cases: dict[str, dict[str, Any]] = {
        "no retention": {"seconds": None},
        "zero": {"seconds": 0},
        "negative": {"seconds": -1},
        "under an hour": {"seconds": 3_599},
        "an hour": {"seconds": 3_600},
        "10,000 days": {"seconds": 10_000 * DAY},
        "global": {"is_global_namespace": True},
        "another cluster": {"active_cluster_name": "elsewhere"},
        "archival": {"history_archival_state": 2, "history_archival_uri": "file:///tmp/archive"},
        "everything": {"data": {"k": "v", "e": ""}, "description": "a text", "owner_email": "o@example.org"},
    }
    for name, fields in cases.items():
        await stage.attempt(name, register(stage, f"{stage.name} {name}", **fields))
        await shown(stage, f"description of {name}", describe(stage, namespace=f"{stage.name} {name}"))
    for name in ("", "x" * 1_001, stage.name, stage.name.upper(), stage.name, f"{stage.name} ü/\\"):
        await stage.attempt(f"name {len(stage.observations)}", register(stage, name))


@scenario
async def namespaces_described(stage: Stage) -> None:
    """By name and by id, and those that are not there."""
    await register(stage, stage.name, description="it")
    found = await describe(stage, namespace=stage.name)
    stage.record("by name", comparable(found))
    await shown(stage, "by id", describe(stage, id=found.namespace_info.id))
    await shown(stage, "by both", describe(stage, id=found.namespace_info.id, namespace=stage.name))
    await shown(stage, "other case", describe(stage, namespace=stage.name.upper()))
    await shown(stage, "missing", describe(stage, namespace="no-such-namespace"))
    await shown(stage, "none", describe(stage))


@scenario
async def namespaces_updated(stage: Stage) -> None:
    """Each part of a namespace, what is left out, and what is refused."""
    name = stage.name
    await register(stage, name, description="first", owner_email="a@example.org", data={"a": "1", "b": "2"})
    info = UpdateNamespaceInfo
    cases: dict[str, dict[str, Any]] = {
        "nothing": {},
        "description": {"update_info": info(description="second")},
        "owner": {"update_info": info(owner_email="b@example.org")},
        "data": {"update_info": info(data={"a": "3", "c": ""})},
        "retention": {"config": retention(DAY)},
        "an hour": {"config": retention(3_600)},
        "under an hour": {"config": retention(3_599)},
        "no retention": {"config": retention(0)},
        "negative": {"config": retention(-1)},
        "bad binary": {"config": NamespaceConfig(bad_binaries=BadBinaries(binaries={"x": BadBinaryInfo(reason="r")}))},
        "delete bad binary": {"delete_bad_binary": "y"},
        "archival": {"config": NamespaceConfig(history_archival_state=2, history_archival_uri="file:///tmp/a")},
        "promote": {"promote_namespace": True},
        "this cluster": {"replication_config": NamespaceReplicationConfig(active_cluster_name="active")},
        "another cluster": {"replication_config": NamespaceReplicationConfig(active_cluster_name="elsewhere")},
        "other clusters": {
            "replication_config": NamespaceReplicationConfig(clusters=[ClusterReplicationConfig(cluster_name="b")])
        },
        "deprecated": {"update_info": info(state=2)},
        "registered again": {"update_info": info(state=1)},
    }
    for case, fields in cases.items():
        await shown(stage, case, update(stage, name, **fields))
    await shown(stage, "missing", update(stage, "no-such-namespace"))
    await shown(stage, "none", update(stage, ""))
    await shown(stage, "description of it", describe(stage, namespace=name))


@scenario
async def namespace_deprecated(stage: Stage) -> None:
    """Nothing starts in it, and what runs goes on."""
    await register(stage, stage.name)
    await usable(stage, stage.name)
    stage.client = await stage.in_namespace(stage.name)
    worker = RawWorker(stage)
    await worker.start()
    for name in (stage.name, stage.name, "no-such-namespace", ""):
        request = DeprecateNamespaceRequest(namespace=name)
        await stage.attempt(
            f"deprecate {len(stage.observations)}",
            admitted(stage, lambda request=request: stage.service.deprecate_namespace(request)),  # type: ignore[misc]
        )
    await shown(stage, "description", describe(stage, namespace=stage.name))

    async def refused() -> bool:
        try:
            await worker.start(workflow_id="another", request_id="another")
        except RPCError:
            return True
        # The same request again finds the run that it began before.
        with contextlib.suppress(RPCError):
            await stage.client.get_workflow_handle("another").terminate()
        return False

    await stage.until(refused)  # The Temporal server reads its namespaces now and then.
    await stage.attempt("start", worker.start(workflow_id="another", request_id="another"))
    await worker.complete(await worker.poll(), complete_workflow("done"))
    await stage.history()


async def usable(stage: Stage, name: str, workflow_id: str = "none") -> None:
    """Waits until the whole server knows the namespace, in which there is no such workflow."""
    request = DescribeWorkflowExecutionRequest(namespace=name, execution=WorkflowExecution(workflow_id=workflow_id))

    async def known() -> bool:
        try:
            await stage.service.describe_workflow_execution(request)
        except RPCError as error:
            return not error.message.startswith("Namespace")
        return False

    await stage.until(known)


@scenario
async def namespace_deleted(stage: Stage) -> None:
    """With open and closed runs: gone from everywhere, and its name is free at once."""
    name = stage.name
    await register(stage, name, description="first")
    await usable(stage, name)
    default = stage.client
    stage.client = await stage.in_namespace(name)
    worker = RawWorker(stage)
    for number in range(3):
        await worker.start(workflow_id=f"open {number}", request_id=str(number))
    await worker.complete(await worker.poll(), complete_workflow())
    task = await worker.poll()
    old = await describe(stage, namespace=name)
    await stage.attempt("both", delete(stage, namespace=name, namespace_id="x"))
    await stage.attempt("none", delete(stage))
    await stage.attempt("missing", delete(stage, namespace="no-such-namespace"))
    gone = await delete(stage, namespace=name)
    stage.record("renamed", gone.deleted_namespace == f"{name}-deleted-{old.namespace_info.id[:5]}")
    await shown(stage, "description", describe(stage, namespace=name))

    async def unknown() -> bool:
        """The Temporal server reads its namespaces now and then."""
        try:
            await stage.client.get_workflow_handle("none").signal("go")
        except RPCError as error:
            return error.message.startswith("Namespace")
        return False

    await stage.until(unknown)
    await shown(stage, "again", delete(stage, namespace=name))
    await stage.attempt("start", worker.start(request_id="late"))
    await stage.attempt("completion", worker.complete(task))
    await stage.attempt("poll", worker.poll())
    await stage.attempt("workflow", stage.describe("open 2"))
    names = await all_names(stage, include_deleted=False)
    stage.record("listed", [each for each in names if each.startswith(name)])
    stage.client = default
    await register(stage, name, description="second")
    await usable(stage, name, "open 2")
    stage.client = await stage.in_namespace(name)
    await shown(stage, "the new one", describe(stage, namespace=name))
    await stage.attempt("old workflow", stage.describe("open 2"))
    worker = RawWorker(stage)
    await worker.start(workflow_id="open 2", request_id="new")
    await worker.complete(await worker.poll(), complete_workflow("new"))
    await stage.history("open 2")

    async def is_gone() -> bool:
        try:
            await describe(stage, id=old.namespace_info.id)
        except RPCError as error:
            return error.status == RPCStatusCode.NOT_FOUND
        return False

    if stage.server.name == "sagamore":  # The Temporal server takes its time.
        await stage.until(is_gone)


async def all_names(stage: Stage, *, include_deleted: bool, page_size: int = 2) -> list[str]:
    names: list[str] = []
    request = ListNamespacesRequest(page_size=page_size)
    request.namespace_filter.CopyFrom(NamespaceFilter(include_deleted=include_deleted))
    while True:
        page = await admitted(stage, lambda: stage.service.list_namespaces(request))
        names += [each.namespace_info.name for each in page.namespaces]
        if not page.next_page_token:
            return sorted(names)
        request.next_page_token = page.next_page_token


@scenario
async def namespaces_listed(stage: Stage) -> None:
    """In pages, each once."""
    for number in range(5):
        await register(stage, f"{stage.name} {number}")
    names = await all_names(stage, include_deleted=False)
    stage.record("names", [name for name in names if name.startswith(stage.name)])


@scenario
async def namespaces_see_nothing_of_each_other(stage: Stage) -> None:
    """Every call in one namespace with ids and tokens of another one."""
    other = f"{stage.name}-b"
    await register(stage, other)
    await usable(stage, other)
    worker = RawWorker(stage)
    run_id = (await worker.start()).run_id
    activity = schedule_activity("a", stage, start_to_close_timeout=60)
    await worker.complete(await worker.poll(), activity, start_timer("t", 1000), force_create_new_workflow_task=True)
    activity_token = (await worker.poll_activity()).task_token
    token = (await worker.poll()).task_token
    before = await stage.events()
    calls: dict[str, Callable[[WorkflowExecution], Awaitable[Any]]] = {
        "describe": lambda it: stage.service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=other, execution=it)
        ),
        "history": lambda it: stage.service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(namespace=other, execution=it)
        ),
        "signal": lambda it: stage.service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(namespace=other, workflow_execution=it, signal_name="s", request_id="r")
        ),
        "cancel": lambda it: stage.service.request_cancel_workflow_execution(
            RequestCancelWorkflowExecutionRequest(namespace=other, workflow_execution=it, request_id="r")
        ),
        "terminate": lambda it: stage.service.terminate_workflow_execution(
            TerminateWorkflowExecutionRequest(namespace=other, workflow_execution=it)
        ),
        "query": lambda it: stage.service.query_workflow(
            QueryWorkflowRequest(namespace=other, execution=it, query=WorkflowQuery(query_type="q"))
        ),
    }
    for name, call in calls.items():
        await stage.attempt(f"{name} by id", call(WorkflowExecution(workflow_id=stage.name)))
        await stage.attempt(f"{name} by run", call(WorkflowExecution(workflow_id=stage.name, run_id=run_id)))
    tokens: dict[str, Awaitable[Any]] = {
        "complete task": stage.service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(namespace=other, task_token=token)
        ),
        "fail task": stage.service.respond_workflow_task_failed(
            RespondWorkflowTaskFailedRequest(namespace=other, task_token=token)
        ),
        "complete activity": stage.service.respond_activity_task_completed(
            RespondActivityTaskCompletedRequest(namespace=other, task_token=activity_token)
        ),
        "fail activity": stage.service.respond_activity_task_failed(
            RespondActivityTaskFailedRequest(namespace=other, task_token=activity_token)
        ),
        "cancel activity": stage.service.respond_activity_task_canceled(
            RespondActivityTaskCanceledRequest(namespace=other, task_token=activity_token)
        ),
        "heartbeat": stage.service.record_activity_task_heartbeat(
            RecordActivityTaskHeartbeatRequest(namespace=other, task_token=activity_token)
        ),
    }
    for name, answer in tokens.items():
        await stage.attempt(name, answer)
    await everything_else(stage, other, run_id, token, activity_token)
    # A workflow of the same id on the same queue, in the other namespace: each worker gets its own.
    first = stage.client
    request = start_request(stage, "b", namespace=other, request_id="b")
    await stage.service.start_workflow_execution(request)
    stage.client = await stage.in_namespace(other)
    await RawWorker(stage).complete(await RawWorker(stage).poll(), complete_workflow("b"))
    await stage.history(name="history of the other one")
    stage.client = first
    after = await stage.events()
    stage.record("untouched", after == before)
    await worker.complete_activity(await heard(stage, activity_token))
    await stage.until_history(lambda types: len(types) == len(before.events))


async def everything_else(stage: Stage, namespace: str, run_id: str, token: bytes, activity_token: bytes) -> None:
    """Every call that names a workflow or a task, in another namespace. What it answers is not compared: it depends on
    what each server has; what it may not do is touch that workflow."""
    service = workflow_service.DESCRIPTOR.services_by_name["WorkflowService"]
    execution = WorkflowExecution(workflow_id=stage.name, run_id=run_id)
    for method in service.methods:
        fields = method.input_type.fields_by_name
        request: Any = message_factory.GetMessageClass(method.input_type)()
        named = [name for name in ("workflow_execution", "execution") if name in fields]
        for name in named:
            if fields[name].message_type.full_name == execution.DESCRIPTOR.full_name:
                getattr(request, name).CopyFrom(execution)
        if "task_token" in fields:
            named.append("task_token")
            request.task_token = activity_token if "Activity" in method.name else token
        if "workflow_id" in fields and not method.name.startswith(("Start", "SignalWithStart", "Execute")):
            named.append("workflow_id")
            request.workflow_id = stage.name
        if not named or "namespace" not in fields:
            continue
        request.namespace = namespace
        for name, value in (("run_id", run_id), ("activity_id", "a"), ("id", "a"), ("request_id", "r")):
            if name in fields and fields[name].type == fields[name].TYPE_STRING:
                setattr(request, name, value)
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in method.name).strip("_")
        call = getattr(stage.service, name, None)
        if call is None:
            continue
        with contextlib.suppress(RPCError):
            await call(request, timeout=timedelta(seconds=1))


async def heard(stage: Stage, token: bytes) -> Any:
    """The activity's task as its own worker still has it."""
    request = RecordActivityTaskHeartbeatRequest(namespace=stage.client.namespace, task_token=token)
    await stage.service.record_activity_task_heartbeat(request)
    return PollActivityTaskQueueResponse(task_token=token)
