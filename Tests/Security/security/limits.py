"""How much namespaces and callers may ask for, and that limits change while the service runs."""

import asyncio
import contextlib
import time
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    PollActivityTaskQueueRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .service import Service, until

NAMESPACES = "namespaces:\n  - name: a\n  - name: b\n"


@activity.defn
async def beat() -> str:
    for _ in range(20):
        activity.heartbeat()
        await asyncio.sleep(0.01)
    return "done"


@workflow.defn
class Beat:
    @workflow.run
    async def run(self) -> str:
        limit = timedelta(seconds=30)
        return await workflow.execute_activity(beat, start_to_close_timeout=limit, heartbeat_timeout=limit)


async def describe(client: Client, namespace: str) -> RPCError | None:
    """Without the retries of the SDK."""
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace), retry=False)
    except RPCError as error:
        return error
    return None


async def rates_and_their_changes(service: Service, folder: Path) -> None:
    """A namespace has its rate; another one does not notice; a change of the file is in force within seconds."""
    dynamic = folder / "dynamic.yaml"
    dynamic.write_text("frontend.namespaceRPS:\n  - value: 20\n    constraints: {namespace: a}\n")
    service.configure("", more=NAMESPACES + "dynamicConfig: dynamic.yaml\n")
    await service.begin()
    client = await Client.connect(service.address, namespace="a")
    refused: list[RPCError] = []
    begin, admitted = time.monotonic(), 0
    while time.monotonic() - begin < 2:
        if error := await describe(client, "a"):
            refused.append(error)
        else:
            admitted += 1
        assert await describe(client, "b") is None, "another namespace is refused"
    assert 35 <= admitted <= 65, f"{admitted} requests were admitted in two seconds, at 20 a second"
    error = refused[0]
    assert error.status == RPCStatusCode.RESOURCE_EXHAUSTED, error
    assert "try again in" in error.message and "namespace rate limit exceeded" in error.message, error.message
    kinds = [detail.type_url.rsplit("/", 1)[-1] for detail in error.grpc_status.details]
    assert kinds == ["temporal.api.errordetails.v1.ResourceExhaustedFailure", "google.rpc.RetryInfo"], kinds
    assert f'sagamore_requests_refused_total{{limit="requests",scope="namespace"}} {len(refused)}' in service.page(
        "/metrics"
    )

    dynamic.write_text("frontend.namespaceRPS: many\n")
    await until(lambda: "the dynamic configuration cannot be used" in service.log.read_text(), "a mistake is logged")
    dynamic.write_text("frontend.namespaceRPS: 0\n")
    await until(lambda: "the dynamic configuration was read again" in service.log.read_text(), "it is read again")
    for _ in range(100):
        assert await describe(client, "a") is None, "the old limit is in force"
    # A limit of runs changes, too: one event more than allowed ends the run.
    dynamic.write_text("limit.blobSize.error: 1000\n")
    await until(lambda: service.log.read_text().count("was read again") == 2, "it is read once more")
    try:
        await client.start_workflow("T", "x" * 2_000, id="large", task_queue="q")
    except RPCError as error:
        assert error.status == RPCStatusCode.INVALID_ARGUMENT, error
    else:
        raise AssertionError("a payload above the new limit was taken")


async def completions_are_never_refused(service: Service, folder: Path) -> None:
    """With a rate at which a worker can hardly poll, what it has begun still ends, with all its heartbeats."""
    limits = "limits:\n  namespace: {requestsPerSecond: 8}\n"
    service.configure("", more=NAMESPACES + limits)
    await service.begin()
    client = await Client.connect(service.address, namespace="a")
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="q", workflows=[Beat], activities=[beat], workflow_runner=runner):
        handles = [await client.start_workflow(Beat.run, id=f"b{number}", task_queue="q") for number in range(4)]
        async with asyncio.timeout(60):
            for handle in handles:
                assert await handle.result() == "done"
    for operation in ("RespondWorkflowTaskCompleted", "RespondActivityTaskCompleted", "RecordActivityTaskHeartbeat"):
        line = f'service_errors_total{{operation="{operation}"'
        assert line not in service.page("/metrics"), f"{operation} was refused"


async def polls_and_open_workflows(service: Service, folder: Path) -> None:
    limits = "limits:\n  namespace: {longPolls: 3, runningWorkflows: 5}\n"
    service.configure("", more=NAMESPACES + limits)
    await service.begin()
    client = await Client.connect(service.address, namespace="a")

    async def poll() -> RPCStatusCode | None:
        request = PollActivityTaskQueueRequest(namespace="a", identity="x")
        request.task_queue.name = "q"
        try:
            timeout = timedelta(seconds=4)
            await client.workflow_service.poll_activity_task_queue(request, timeout=timeout, retry=False)
        except RPCError as error:
            return error.status
        return None

    polls = [asyncio.create_task(poll()) for _ in range(5)]
    first = [await done for done in asyncio.as_completed(polls)][:2]
    assert first == [RPCStatusCode.RESOURCE_EXHAUSTED] * 2, f"of five polls at a limit of three: {first}"
    assert await poll() is None, "a place of a poll that has ended is not free"

    async def start(number: int) -> RPCStatusCode | None:
        request = StartWorkflowExecutionRequest(namespace="a", workflow_id=f"w{number}", request_id=str(number))
        request.workflow_type.name, request.task_queue.name = "T", "nobody"
        try:
            await client.workflow_service.start_workflow_execution(request, retry=False)
        except RPCError as error:
            return error.status
        return None

    await until(lambda: "sagamore_database_bytes" in service.page("/metrics"), "the database is asked")
    await asyncio.sleep(1.5)
    answers = [await start(number) for number in range(8)]
    assert answers == [None] * 5 + [RPCStatusCode.RESOURCE_EXHAUSTED] * 3, answers
    terminate = TerminateWorkflowExecutionRequest(namespace="a")
    terminate.workflow_execution.workflow_id = "w0"
    await client.workflow_service.terminate_workflow_execution(terminate)
    for number in range(100, 400):
        if await start(number) is None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the place of a workflow that was terminated is not free")


async def limits_of_a_caller(service: Service, folder: Path) -> None:
    key = "key-of-one-caller-0123"
    other = "key-of-another-caller-0123"
    authorization = "authorization:\n  apiKeys:\n"
    for name, text in (("x", key), ("y", other)):
        authorization += f'    - {{name: {name}, key: {text}, permissions: ["a:read"]}}\n'
    service.configure(authorization, more=NAMESPACES + "limits:\n  caller: {requestsPerSecond: 5}\n")
    await service.begin()
    first = await Client.connect(service.address, namespace="a", api_key=key, tls=False)
    second = await Client.connect(service.address, namespace="a", api_key=other, tls=False)
    errors = [await describe(first, "a") for _ in range(20)]
    assert any(error and "caller rate limit exceeded" in error.message for error in errors), errors
    assert await describe(second, "a") is None
    with contextlib.suppress(RPCError):
        await first.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="a"))
