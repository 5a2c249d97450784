"""Lists, counts, filters and search attributes, in namespaces of their own."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import Memo, Payload, SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType, WorkflowExecutionStatus
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    ListClosedWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
    RequestCancelWorkflowExecutionRequest,
    ScanWorkflowExecutionsRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.service import RPCError

from ..raw import (
    RawWorker,
    application_failure,
    cancel_workflow,
    complete_workflow,
    fail_workflow,
    start_request,
)
from ..stage import Stage
from . import scenario
from .commands import upsert
from .namespaces import register

TYPES = {
    "AText": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "AKeyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "AnInt": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "ADouble": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "ABool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "ADatetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "AList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


def payload(value: Any, **metadata: bytes) -> Payload:
    return Payload(metadata={"encoding": b"json/plain", **metadata}, data=json.dumps(value).encode())


async def own_namespace(stage: Stage) -> Stage:
    """The stage in a namespace that nobody else uses, with a search attribute of each type."""
    name = stage.name
    await register(stage, name)
    client = await stage.in_namespace(name)
    own = replace(stage, client=client)

    async def is_known() -> bool:
        try:
            await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=name))
            await client.workflow_service.count_workflow_executions(CountWorkflowExecutionsRequest(namespace=name))
        except RPCError:
            return False
        return True

    # Temporal's server caches namespaces, also those that are not there.
    await stage.until(is_known)
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=name, search_attributes=TYPES)
    )
    return own


async def start(stage: Stage, id: str, type: str = "Raw", memo: Any = None, **attributes: Any) -> Any:
    fields = {name: value if isinstance(value, Payload) else payload(value) for name, value in attributes.items()}
    request = start_request(replace(stage, name=id))
    request.workflow_type.name = type
    if fields:
        request.search_attributes.CopyFrom(SearchAttributes(indexed_fields=fields))
    if memo is not None:
        request.memo.CopyFrom(Memo(fields={"note": payload(memo)}))
    return await stage.service.start_workflow_execution(request)


async def do(stage: Stage, id: str, *commands: Any) -> Any:
    """Completes the next workflow task of a run, whose task queue has its id."""
    worker = RawWorker(replace(stage, name=id))
    return await worker.complete(await worker.poll(), *commands)


async def found(stage: Stage, query: str) -> Any:
    """The ids of the runs that a filter describes, sorted, or the status that it is refused with."""
    try:
        answer = await stage.service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace=stage.client.namespace, query=query)
        )
    except RPCError as error:
        return error.status.name
    return sorted(each.execution.workflow_id for each in answer.executions)


async def until_listed(stage: Stage, query: str, count: int) -> None:
    """The Temporal server's lists are late."""

    async def are_there() -> bool:
        return len(await found(stage, query)) == count

    await stage.until(are_there)


@scenario
async def search_attributes_administered(stage: Stage) -> None:
    """Attributes are added, listed and removed, and what is refused."""
    own = await own_namespace(stage)
    operator, namespace = own.client.operator_service, own.client.namespace

    def add(**types: int) -> Awaitable[Any]:
        request = AddSearchAttributesRequest(namespace=namespace)
        for name, kind in types.items():
            request.search_attributes[name] = kind  # type: ignore[assignment]
        return operator.add_search_attributes(request)

    def remove(*names: str) -> Awaitable[Any]:
        return operator.remove_search_attributes(
            RemoveSearchAttributesRequest(namespace=namespace, search_attributes=names)
        )

    async def listed(name: str) -> None:
        answer = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=namespace))
        stage.record(name, {key: answer.custom_attributes[key] for key in sorted(answer.custom_attributes)})
        if name == "fresh":
            system = answer.system_attributes
            keys = ("WorkflowId", "StartTime", "ExecutionDuration", "BuildIds", "TemporalSchedulePaused")
            stage.record("system", {key: system[key] for key in keys})

    await listed("fresh")
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "one more": lambda: add(Another=2),
        "the same again": lambda: add(Another=2),
        "a system attribute": lambda: add(WorkflowId=2),
        "a predefined attribute": lambda: add(BuildIds=7),
        "a name of Temporal's": lambda: add(TemporalFoo=2),
        "nothing": lambda: add(),
        "an unknown type": lambda: add(Other=8),
        "remove nothing": lambda: remove(),
        "remove a system attribute": lambda: remove("WorkflowId"),
        "remove": lambda: remove("Another"),
        "remove again": lambda: remove("Another"),
        "no namespace": lambda: operator.list_search_attributes(ListSearchAttributesRequest()),
        "an unknown namespace": lambda: operator.list_search_attributes(ListSearchAttributesRequest(namespace="nope")),
    }
    for name, call in calls.items():
        await stage.attempt(name, call())
    await listed("in the end")


STARTS: dict[str, dict[str, Any]] = {
    "unknown": {"Nope": "x"},
    "unknown and null": {"Nope": None},
    "other case": {"akeyword": "x"},
    "int as text": {"AnInt": "x"},
    "int as digits": {"AnInt": "5"},
    "int with fraction": {"AnInt": 5.5},
    "int as bool": {"AnInt": True},
    "two ints": {"AnInt": [5, 6]},
    "one int in a list": {"AnInt": [5]},
    "datetime as text": {"ADatetime": "x"},
    "datetime without a time": {"ADatetime": "2024-01-02"},
    "datetime with an offset": {"ADatetime": "2024-01-02T03:04:05.123456789+02:00"},
    "keyword as number": {"AKeyword": 5},
    "keyword as object": {"AKeyword": {}},
    "keywords": {"AKeyword": ["a", "b"]},
    "bool as number": {"ABool": 1},
    "bool as text": {"ABool": "true"},
    "double as int": {"ADouble": 1},
    "double as text": {"ADouble": "x"},
    "text as number": {"AText": 5},
    "list as text": {"AList": "a"},
    "list of numbers": {"AList": [1]},
    "list": {"AList": ["a", "b"]},
    "null": {"AnInt": None},
    "empty list": {"AnInt": []},
    "system": {"WorkflowId": "x"},
    "system and null": {"StartTime": None},
    "predefined": {"BuildIds": ["x"], "BatcherUser": "me"},
    "predefined of another type": {"BatcherUser": 1},
    "large": {"AKeyword": "x" * 2_050},
    "type of the client": {"AnInt": payload(5, type=b"Keyword")},
}


@scenario
async def search_attributes_at_the_start(stage: Stage) -> None:
    """What a start may set, what is kept of it, and what lists show."""
    own = await own_namespace(stage)
    for name, attributes in STARTS.items():
        try:
            await start(own, name, **attributes)
        except RPCError as error:
            stage.record(name, error)
            continue
        events = await own.events(name)
        stage.record(f"{name}: event", events.events[0].workflow_execution_started_event_attributes.search_attributes)
        described = await own.describe(name)
        stage.record(f"{name}: description", described.workflow_execution_info.search_attributes)
        await until_listed(own, f"WorkflowId = '{name}'", 1)
        answer = await own.service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace=own.client.namespace, query=f"WorkflowId = '{name}'")
        )
        attributes_shown = answer.executions[0].search_attributes.indexed_fields
        shown = {key: json.loads(attributes_shown[key].data) for key in sorted(attributes_shown)}
        stage.record(f"{name}: list", shown)


@scenario
async def search_attributes_upserted(stage: Stage) -> None:
    """What a workflow may set, and what becomes of its task otherwise."""
    own = await own_namespace(stage)
    cases: dict[str, dict[str, Payload]] = {
        "unknown": {"Nope": payload("x")},
        "unknown and null": {"Nope": payload(None)},
        "wrong type": {"AnInt": payload("x")},
        "system": {"WorkflowId": payload("x")},
        "change": {"AKeyword": payload("after"), "AList": payload(["b", "c"])},
        "removal": {"AnInt": payload(None), "AList": payload([])},
        "predefined": {"TemporalChangeVersion": payload(["a-1"])},
    }
    for name, fields in cases.items():
        await start(own, name, AKeyword="before", AnInt=1, AList=["a", "b"])
        await stage.attempt(f"{name}: answer", do(own, name, upsert(fields)))
        stage.observations[f"{name}: history"] = [
            stage.normaliser.message(event) for event in (await own.events(name)).events
        ]
    await until_listed(own, "AKeyword = 'after'", 1)
    for query in ("AKeyword = 'before'", "AKeyword = 'after'", "AList = 'a'", "AList = 'c'", "AnInt IS NULL"):
        stage.record(query, await found(own, query))
    await until_listed(own, "TemporalChangeVersion = 'a-1'", 1)


async def make_runs(stage: Stage) -> None:
    """Runs of several types that are open, or ended in different ways."""
    namespace = stage.client.namespace
    await start(
        stage, "ord-1", "Order", AKeyword="apple", AnInt=1, ADouble=1.5, ABool=True, ADatetime="2024-01-01T00:00:00Z",
        AText="quick brown fox", AList=["red", "green"],
    )  # fmt: skip
    await start(
        stage, "ord-2", "Order", AKeyword="banana", AnInt=2, ADouble=2.5, ABool=False,
        ADatetime="2024-06-01T00:00:00Z", AText="lazy brown dog", AList=["green", "blue"],
    )  # fmt: skip
    await start(stage, "ord-3", "Order", AKeyword="apricot", AnInt=3, AText="Quick", AList=["red"])
    await start(stage, "ord-4", "Order", AKeyword="avocado", AnInt=-1)
    await start(stage, "ord-5", "Order", AKeyword="cherry", AnInt=10)
    await start(stage, "pay-1", "Payment", AKeyword="banana", AnInt=0)
    await start(stage, "pay-2", "Payment", memo="a note")
    await start(stage, "it's", "Quote")
    await do(stage, "ord-1", complete_workflow())
    await do(stage, "ord-2", fail_workflow(application_failure("boom")))
    terminate = TerminateWorkflowExecutionRequest(namespace=namespace, reason="r")
    terminate.workflow_execution.workflow_id = "ord-3"
    await stage.service.terminate_workflow_execution(terminate)
    cancel = RequestCancelWorkflowExecutionRequest(namespace=namespace)
    cancel.workflow_execution.workflow_id = "ord-4"
    await stage.service.request_cancel_workflow_execution(cancel)
    await do(stage, "ord-4", cancel_workflow())
    await do(stage, "pay-2", complete_workflow())
    await until_listed(stage, "", 8)
    await until_listed(stage, "CloseTime IS NULL", 3)


# As written in a query. Where the Temporal server's SQLite differs from its other stores, they are left out: letter
# case of STARTS_WITH and of lists, custom times that are compared as text, values with quotes inside.
FILTERS = """
WorkflowId = 'ord-1'
WorkflowId != 'ord-1'
WorkflowId <> 'ord-1'
WorkflowId = "it's"
WorkflowId = 'it''s'
WorkflowId = 'it\\'s'
`WorkflowId` = 'ord-1'
ScheduleId = 'ord-1'
WorkflowId IN ('ord-1', 'pay-1', 'none')
WorkflowId not in ('ord-1', 'pay-1')
WorkflowId STARTS_WITH 'ord'
WorkflowId NOT STARTS_WITH 'ord'
WorkflowId STARTS_WITH ''
WorkflowId STARTS_WITH '%'
WorkflowType = 'Order' AND ExecutionStatus = 'Failed'
WorkflowType = 'Order' OR WorkflowType = 'Payment' AND ExecutionStatus = 'Running'
(WorkflowType = 'Order' OR WorkflowType = 'Payment') AND ExecutionStatus = 'Running'
NOT WorkflowType = 'Order'
NOT (WorkflowType = 'Order' OR AnInt = 0)
ExecutionStatus = 'Running'
ExecutionStatus = 'Completed'
ExecutionStatus = 'Canceled'
ExecutionStatus = 'Terminated'
ExecutionStatus != 'Running'
ExecutionStatus IN ('Failed', 'Canceled')
ExecutionStatus = 2
ExecutionStatus IN (1, 3)
ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_RUNNING'
ExecutionStatus = 'running'
ExecutionStatus = 'Bogus'
ExecutionStatus = 99
ExecutionStatus = true
AKeyword = 'banana'
AKeyword != 'banana'
AKeyword > 'b'
AKeyword BETWEEN 'apple' AND 'avocado'
AKeyword NOT BETWEEN 'apple' AND 'avocado'
AKeyword IS NULL
AKeyword IS NOT NULL
AKeyword = ''
AKeyword = 5
AKeyword = apple
AnInt = 1
AnInt != 1
NOT AnInt = 1
NOT (AnInt != 1)
AnInt NOT IN (1)
AnInt > 1
AnInt >= -1
AnInt BETWEEN 1 AND 3
AnInt BETWEEN 3 AND 1
AnInt = 1.0
AnInt = '1'
AnInt = 'x'
AnInt = true
ADouble = 1.5
ADouble > 1
ADouble BETWEEN 1 AND 2
ADouble = '1.5'
ABool = true
ABool = FALSE
ABool != true
ABool = 'true'
ABool = 1
ABool BETWEEN true AND true
AText = 'brown'
AText = 'BROWN'
AText = 'quick dog'
AText = 'bro'
AText != 'brown'
NOT AText = 'brown'
AText > 'a'
AText BETWEEN 'a' AND 'b'
AText = 5
AList = 'red'
AList = 're'
AList IN ('red', 'blue')
AList != 'red'
AList NOT IN ('red')
NOT AList = 'red'
AList IS NULL
AList > 'a'
AList = 5
ADatetime > '2024-03-01T00:00:00Z'
ADatetime < '2024-03-01T00:00:00Z'
ADatetime IS NULL
StartTime > '2020-01-01T00:00:00Z'
StartTime < '2020-01-01T00:00:00Z'
StartTime > 0
StartTime = 'bad'
StartTime > '2020-01-01'
StartTime = 1.5
CloseTime IS NULL
CloseTime IS NOT NULL
CloseTime > '2020-01-01T00:00:00Z'
CloseTime != '2020-01-01T00:00:00Z'
CloseTime = missing
ExecutionDuration < '1h'
ExecutionDuration > '01:30:00'
ExecutionDuration >= 0
ExecutionDuration = 'bad'
ExecutionDuration = 1.5
HistoryLength > 2
HistoryLength IS NULL
HistoryLength > '2'
TaskQueue = 'pay-1'
ParentWorkflowId IS NULL
RootWorkflowId = 'ord-1'
RunId = 'bogus'
Nonsense = 'x'
workflowtype = 'Order'
'WorkflowId' = 'ord-1'
AnInt
1 = 1
1 = AnInt
AnInt = HistoryLength
AnInt = null
(AnInt = 1
AnInt = 1)
AnInt = 1 AND
AND AnInt = 1
AnInt =
AnInt = 'x
select 1
AnInt IS 1
WorkflowId LIKE 'ord%'
AnInt = 1 + 1
LIMIT 1
AnInt = 1; DROP TABLE runs
GROUP BY ExecutionStatus
ORDER BY Nonsense
""".strip().splitlines()


@scenario
async def filters(stage: Stage) -> None:
    """What a filter finds, by each of the three calls, and which are refused."""
    own = await own_namespace(stage)
    await make_runs(own)
    namespace = own.client.namespace
    for query in ["", "   ", *FILTERS]:
        ids = await found(own, query)
        stage.record(f"list {query}", ids)
        try:
            scanned = await own.service.scan_workflow_executions(
                ScanWorkflowExecutionsRequest(namespace=namespace, query=query)
            )
            count = await own.service.count_workflow_executions(
                CountWorkflowExecutionsRequest(namespace=namespace, query=query)
            )
        except RPCError as error:
            stage.record(f"others {query}", error.status.name)
        else:
            stage.record(f"others {query}", [len(scanned.executions), count.count])


@scenario
async def listed_runs(stage: Stage) -> None:
    """What is shown of a run, pages, the old lists, and groups."""
    own = await own_namespace(stage)
    await make_runs(own)
    service, namespace = own.service, own.client.namespace
    for id in ("pay-1", "pay-2"):
        answer = await service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace=namespace, query=f"WorkflowId = '{id}'")
        )
        stage.record(f"item {id}", answer.executions[0])
    ids, token, pages = [], b"", 0
    while pages == 0 or token:
        page = await service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace=namespace, page_size=3, next_page_token=token)
        )
        ids += [each.execution.workflow_id for each in page.executions]
        token, pages = page.next_page_token, pages + 1
    stage.record("pages", [sorted(ids), pages])

    count = await service.count_workflow_executions(
        CountWorkflowExecutionsRequest(namespace=namespace, query="GROUP BY ExecutionStatus")
    )
    groups = {group.group_values[0].data.decode(): group.count for group in count.groups}
    stage.record("groups", [count.count, dict(sorted(groups.items()))])
    stage.record("group value", sorted(count.groups[0].group_values[0].metadata.items()).__repr__())

    def old(answer: Any) -> list[str]:
        return sorted(each.execution.workflow_id for each in answer.executions)

    requests: dict[str, ListOpenWorkflowExecutionsRequest | ListClosedWorkflowExecutionsRequest] = {}
    for kind in (ListOpenWorkflowExecutionsRequest, ListClosedWorkflowExecutionsRequest):
        for name in ("everything", "id", "type", "no type", "until then", "reversed", "status", "running"):
            request = kind(namespace=namespace)
            match name:
                case "id":
                    request.execution_filter.workflow_id = "pay-1"
                case "type":
                    request.type_filter.name = "Order"
                case "no type":
                    request.type_filter.SetInParent()
                case "until then":
                    request.start_time_filter.latest_time.FromSeconds(1_600_000_000)
                case "reversed":
                    request.start_time_filter.latest_time.FromSeconds(1)
                    request.start_time_filter.earliest_time.FromSeconds(2)
                case "status" | "running":
                    if kind is ListOpenWorkflowExecutionsRequest:
                        continue
                    failed = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED
                    running = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
                    request.status_filter.status = failed if name == "status" else running
            requests[f"{kind.__name__} {name}"] = request
    for name, request in requests.items():
        is_open = isinstance(request, ListOpenWorkflowExecutionsRequest)
        call = service.list_open_workflow_executions if is_open else service.list_closed_workflow_executions
        try:
            stage.record(name, old(await call(request)))
        except RPCError as error:
            stage.record(name, error)
    for name, request in {
        "no namespace": ListWorkflowExecutionsRequest(),
        "an unknown namespace": ListWorkflowExecutionsRequest(namespace="nope", query="Nonsense"),
    }.items():
        await stage.attempt(name, service.list_workflow_executions(request))
