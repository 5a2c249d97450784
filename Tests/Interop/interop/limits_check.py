"""What only Sagamore shows: the log of limits and settings, and that a deletion goes on after a kill."""

import asyncio
import contextlib
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from ports import free_port
from temporalio import workflow
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .servers import Server, running, until_usable

PATIENCE = 60.0


@contextlib.asynccontextmanager
async def sagamore(program: Path, data: Path, log: Path, *more: str) -> AsyncIterator[tuple[Server, Client]]:
    """`sagamore dev` on a data folder that stays."""
    command = [
        str(program), "dev", "--data-dir", str(data), "--port", str(free_port()), "--http-port", str(free_port()),
        "--log-level", "warning", *more,
    ]  # fmt: skip
    ready = data / "dev.json"
    ready.unlink(missing_ok=True)
    async with running(command, log) as process:
        async with asyncio.timeout(PATIENCE):
            while not ready.exists():
                if process.poll() is not None:
                    raise RuntimeError(f"the program ended with status {process.returncode}: {log.read_text()[-500:]}")
                await asyncio.sleep(0.05)
        server = Server("sagamore", json.loads(ready.read_text())["grpc"], process)
        await until_usable(server, log)
        yield server, await Client.connect(server.address)


def start(workflow_id: str, namespace: str = "default") -> StartWorkflowExecutionRequest:
    request = StartWorkflowExecutionRequest(namespace=namespace, workflow_id=workflow_id, request_id=workflow_id)
    request.workflow_type.name = "Raw"
    request.task_queue.name = "nobody"
    return request


async def limits_are_logged_once(program: Path) -> list[str]:
    """A history that becomes long, one that is ended, and a key that names nothing."""
    settings = ["limit.historyCount.warn=10", "limit.historyCount.error=20", "limit.historyCount.eror=5", "x.y=1"]
    with tempfile.TemporaryDirectory(prefix="interop-limits-") as folder:
        log = Path(folder) / "log"
        arguments = [part for setting in settings for part in ("--dynamic-config-value", setting)]
        async with sagamore(program, Path(folder) / "data", log, "--ephemeral", *arguments) as (_, client):
            for workflow_id in ("one", "two"):
                await client.workflow_service.start_workflow_execution(start(workflow_id))
                for number in range(30):
                    request = SignalWorkflowExecutionRequest(namespace="default", signal_name="s")
                    request.workflow_execution.workflow_id = workflow_id
                    request.request_id = str(number)
                    with contextlib.suppress(RPCError):
                        await client.workflow_service.signal_workflow_execution(request)
        lines = log.read_text().splitlines()
    problems = []
    for workflow_id in ("one", "two"):
        for message in ("a history has many events", "a limit ended a run"):
            count = sum(message in line and f"workflow_id={workflow_id}" in line for line in lines)
            if count != 1:
                problems.append(f"  '{message}' of {workflow_id} is logged {count} times")
    unknown = [line for line in lines if "an unknown key" in line]
    if len(unknown) != 2 or "limit.historyCount.error" not in "".join(unknown) or "key=x.y" not in "".join(unknown):
        problems.append(f"  unknown keys are logged as {unknown}")
    return problems + [f"  {line}" for line in lines] if problems else []


@workflow.defn(name="Uncompensated")
class Uncompensated:
    @workflow.run
    async def run(self, kind: str) -> None:
        raise ApplicationError("the car could not be given back", type=kind, non_retryable=True)


async def failed_compensation_is_an_error(program: Path) -> list[str]:
    """A saga that failed to compensate is one line at level error, with all that finds it; others are none."""
    with tempfile.TemporaryDirectory(prefix="interop-uncompensated-") as folder:
        log = Path(folder) / "log"
        async with sagamore(program, Path(folder) / "data", log, "--ephemeral") as (_, client):
            runner = UnsandboxedWorkflowRunner()
            async with Worker(client, task_queue="q", workflows=[Uncompensated], workflow_runner=runner):
                for kind in ("SagaCompensated", "SagaCompensationFailed"):
                    with contextlib.suppress(WorkflowFailureError):
                        await client.execute_workflow(Uncompensated.run, kind, id=kind, task_queue="q")
        lines = [line for line in log.read_text().splitlines() if "failed to compensate" in line]
    wanted = ["error", "namespace=default", "workflow_id=SagaCompensationFailed", "run_id=", "shard=", "Uncompensated"]
    if len(lines) == 1 and all(word in lines[0] for word in wanted):
        return []
    return ["  the lines about failed compensations:", *(f"    {line}" for line in lines)]


async def deletion_goes_on_after_a_kill(program: Path) -> list[str]:
    """A namespace with open and closed runs is deleted, and the server killed at once."""
    with tempfile.TemporaryDirectory(prefix="interop-deletion-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        async with sagamore(program, data, log) as (server, client):
            service = client.workflow_service
            register = RegisterNamespaceRequest(namespace="doomed")
            register.workflow_execution_retention_period.FromSeconds(86_400)
            await service.register_namespace(register)
            for number in range(250):
                await service.start_workflow_execution(start(f"w{number}", "doomed"))
            for number in range(0, 250, 2):
                terminate = TerminateWorkflowExecutionRequest(namespace="doomed")
                terminate.workflow_execution.workflow_id = f"w{number}"
                await service.terminate_workflow_execution(terminate)
            await service.start_workflow_execution(start("stays"))
            described = await service.describe_namespace(DescribeNamespaceRequest(namespace="doomed"))
            await client.operator_service.delete_namespace(DeleteNamespaceRequest(namespace="doomed"))
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
        async with sagamore(program, data, log) as (_, client):
            by_id = DescribeNamespaceRequest(id=described.namespace_info.id)
            deadline = asyncio.get_running_loop().time() + PATIENCE
            while asyncio.get_running_loop().time() < deadline:
                try:
                    await client.workflow_service.describe_namespace(by_id)
                except RPCError as error:
                    if error.status != RPCStatusCode.NOT_FOUND:
                        return [f"  {error}"]
                    await client.get_workflow_handle("stays").describe()
                    return []
                await asyncio.sleep(0.2)
        return ["  the deleted namespace is still there", *(f"  {line}" for line in log.read_text().splitlines())]


LIMIT_CHECKS: dict[str, Callable[[Path], Awaitable[list[str]]]] = {
    "limits-are-logged-once": limits_are_logged_once,
    "failed-compensation-is-an-error": failed_compensation_is_an_error,
    "namespace-deletion-goes-on-after-a-kill": deletion_goes_on_after_a_kill,
}
"""By the name that `--only` takes."""
