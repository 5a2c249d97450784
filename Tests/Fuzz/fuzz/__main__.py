"""Every request gets a status, the server lives, and no run is stuck."""

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError
from interop.servers import Server, sagamore_server
from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import (
    CommandType,
    PendingWorkflowTaskState,
    WorkflowExecutionStatus,
    WorkflowIdConflictPolicy,
)
from temporalio.api.operatorservice.v1 import service_pb2 as operator_service
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Rejection
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RegisterNamespaceRequest,
    RequestCancelWorkflowExecutionRequest,
    RespondActivityTaskCompletedRequest,
    RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.api.workflowservice.v1 import service_pb2 as workflow_service

from .requests import NAMESPACE, OTHER_NAMESPACE, QUEUES, Requests

REPOSITORY = Path(__file__).resolve().parents[3]
WORKFLOWS = workflow_service.DESCRIPTOR.services_by_name["WorkflowService"]
OPERATOR = operator_service.DESCRIPTOR.services_by_name["OperatorService"]
METHODS = [*WORKFLOWS.methods, *OPERATOR.methods]
LONG = {
    "PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue", "GetWorkflowExecutionHistory",
    "QueryWorkflow", "UpdateWorkflowExecution", "PollWorkflowExecutionUpdate", "ExecuteMultiOperation",
    "PollActivityExecution", "PollNexusOperationExecution", "DescribeActivityExecution",
    "DescribeNexusOperationExecution", "PollWorkflowExecutionTimeSkipping",
}  # fmt: skip
"""Calls that may wait for something to happen until their deadline."""

BUSY = ["StartWorkflowExecution", "PollWorkflowTaskQueue", "RespondWorkflowTaskCompleted", "PollActivityTaskQueue"]
WAIT, PATIENCE = 2.5, 20.0
LONGER = 120.0
"""How long calls that were always refused are sent on."""

AT_ONCE, HELPERS = 12, 10
FAULTS = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS, grpc.StatusCode.UNAVAILABLE}


def is_start_again(error: grpc.aio.AioRpcError) -> bool:
    """An update with a start that was carried out before, and whose run has closed: unavailable, as Temporal says."""
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    return b"Workflow was not started: StartDeduped" in details


class Fuzzer:
    def __init__(self, server: Server, channel: grpc.aio.Channel, seed: int) -> None:
        self.server = server
        self.channel = channel
        self.chance = random.Random(seed)
        self.requests = Requests(self.chance)
        self.statuses: dict[str, Counter[str]] = {}
        self.problems: list[str] = []

    async def raw(self, path: str, content: bytes, seconds: float) -> bytes:
        call = self.channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        answer: bytes = await call(content, timeout=seconds)
        return answer

    async def ask(self, name: str, request: Any, seconds: float = PATIENCE) -> Any:
        """A good request, and its answer."""
        method = WORKFLOWS.methods_by_name[name]
        answer = await self.raw(path_of(method), request.SerializeToString(), seconds)
        return message_factory.GetMessageClass(method.output_type).FromString(answer)

    async def fuzz(self, count: int) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(method: Any) -> None:
            async with places:
                if self.server.runs() and len(self.problems) < 10:
                    await self.send(method)

        helpers = [asyncio.create_task(self.help()) for _ in range(HELPERS)]
        # Each twice; then only those that are there, and what makes runs go on more often. The other namespace is
        # deleted at the end.
        await asyncio.gather(*map(one, (method for method in 2 * METHODS if method.name != "DeleteNamespace")))
        there = [method for method in METHODS if self.is_there(method.name)]
        busy = [WORKFLOWS.methods_by_name[name] for name in BUSY]
        order = [*there, *busy, *busy] * (count // (len(there) + 2 * len(busy)) + 1)
        self.chance.shuffle(order)
        await asyncio.gather(*map(one, order))
        # What a call names is there or not by chance, and less often where the machine is slow.
        until = time.monotonic() + LONGER
        while self.tests_little and not self.problems and time.monotonic() < until:
            again = [WORKFLOWS.methods_by_name.get(name) or OPERATOR.methods_by_name[name] for name in self.never_ok]
            await asyncio.gather(*map(one, [*again, *busy] * 5))
        await asyncio.gather(*map(one, 3 * [OPERATOR.methods_by_name["DeleteNamespace"]]))
        for helper in helpers:
            helper.cancel()
        await asyncio.wait(helpers)

    def is_there(self, name: str) -> bool:
        return name in self.statuses and set(self.statuses[name]) != {"UNIMPLEMENTED"}

    @property
    def never_ok(self) -> list[str]:
        """The calls that were refused each time."""
        return sorted(name for name, counts in self.statuses.items() if self.is_there(name) and not counts["OK"])

    @property
    def tests_little(self) -> bool:
        """Whether too many calls were never answered OK."""
        return len(self.never_ok) > max(3, sum(map(self.is_there, self.statuses)) // 4)

    async def send(self, method: Any) -> None:
        content = self.requests.bytes_for(method)
        is_long = method.name in LONG
        try:
            answer = await self.raw(path_of(method), content, WAIT if is_long else PATIENCE)
            status = "OK"
            self.requests.pool.harvest(message_factory.GetMessageClass(method.output_type).FromString(answer))
        except grpc.aio.AioRpcError as error:
            status = error.code().name
            waited = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED and not is_long
            if (error.code() in FAULTS and not is_start_again(error)) or waited:
                self.problems.append(f"  {method.name}: {status} {error.details()}\n    request {content.hex()[:4000]}")
        except DecodeError as error:
            status = "bad answer"
            self.problems.append(f"  {method.name}: {error}\n    request {content.hex()[:4000]}")
        self.statuses.setdefault(method.name, Counter())[status] += 1

    async def help(self) -> None:
        """A client and a worker that do their work, so that there are runs in all states."""
        while True:
            queue = self.chance.choice(QUEUES)
            try:
                what = self.chance.random()
                if what < 0.2:
                    await self.start(queue)
                elif what < 0.6:
                    await self.work(queue)
                else:
                    request = PollActivityTaskQueueRequest(namespace=NAMESPACE)
                    request.task_queue.name = queue
                    task: PollActivityTaskQueueResponse = await self.ask("PollActivityTaskQueue", request, 2.2)
                    self.requests.pool.harvest(task)
                    if task.task_token and self.chance.random() < 0.3:
                        done = RespondActivityTaskCompletedRequest(namespace=NAMESPACE, task_token=task.task_token)
                        await self.ask("RespondActivityTaskCompleted", done)
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.01)

    async def start(self, queue: str) -> None:
        request = StartWorkflowExecutionRequest(namespace=NAMESPACE, request_id=str(self.chance.random()))
        request.workflow_id = self.chance.choice(self.requests.pool.workflow_ids)
        request.workflow_type.name = "Worked"
        request.task_queue.name = queue
        # Random polls take tasks that nobody answers.
        request.workflow_task_timeout.FromSeconds(1)
        self.requests.pool.harvest(await self.ask("StartWorkflowExecution", request))

    async def work(self, queue: str, *commands: Command) -> PollWorkflowTaskQueueResponse:
        request = PollWorkflowTaskQueueRequest(namespace=NAMESPACE)
        request.task_queue.name = queue
        task: PollWorkflowTaskQueueResponse = await self.ask("PollWorkflowTaskQueue", request, 2.2)
        self.requests.pool.harvest(task)
        if not task.task_token:
            return task
        if task.HasField("query"):
            answer = RespondQueryTaskCompletedRequest(
                namespace=NAMESPACE, task_token=task.task_token, completed_type=1  # type: ignore[arg-type]
            )
            await self.ask("RespondQueryTaskCompleted", answer)
        elif commands or self.chance.random() < 0.7:
            done = RespondWorkflowTaskCompletedRequest(namespace=NAMESPACE, task_token=task.task_token)
            done.commands.extend(commands or self.commands(queue))
            done.messages.extend(map(rejected, task.messages))
            for key in task.queries:
                done.query_results[key].result_type = 1  # type: ignore[assignment]
            await self.ask("RespondWorkflowTaskCompleted", done)
        return task

    def commands(self, queue: str) -> list[Command]:
        number = str(self.chance.randint(0, 99))
        timer = Command(command_type=CommandType.COMMAND_TYPE_START_TIMER)
        timer.start_timer_command_attributes.timer_id = number
        timer.start_timer_command_attributes.start_to_fire_timeout.FromMilliseconds(self.chance.randint(1, 900))
        activity = Command(command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
        activity.schedule_activity_task_command_attributes.activity_id = self.chance.choice("ab")
        activity.schedule_activity_task_command_attributes.activity_type.name = "work"
        activity.schedule_activity_task_command_attributes.task_queue.name = queue
        # So long that there is a pending one for the calls that name it.
        activity.schedule_activity_task_command_attributes.start_to_close_timeout.FromSeconds(10)
        return self.chance.choice([[timer], [activity], [activity], [timer, activity]])

    # After the requests

    async def check_runs(self) -> None:
        """Each open run gets a workflow task, or a worker has it; and its id can be used again."""
        for workflow_id in self.requests.pool.workflow_ids:
            try:
                await self.check_run(workflow_id)
            except (grpc.aio.AioRpcError, TimeoutError) as error:
                self.problems.append(f"  {workflow_id} is stuck: {error!r}")

    async def describe(self, workflow_id: str) -> DescribeWorkflowExecutionResponse | None:
        request = DescribeWorkflowExecutionRequest(namespace=NAMESPACE)
        request.execution.workflow_id = workflow_id
        try:
            answer: DescribeWorkflowExecutionResponse = await self.ask("DescribeWorkflowExecution", request)
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise
        is_open = answer.workflow_execution_info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        return answer if is_open else None

    async def check_run(self, workflow_id: str) -> None:
        if await self.describe(workflow_id):
            cancel = RequestCancelWorkflowExecutionRequest(namespace=NAMESPACE)
            cancel.workflow_execution.workflow_id = workflow_id
            await unless_gone(self.ask("RequestCancelWorkflowExecution", cancel))
            async with asyncio.timeout(PATIENCE):
                while described := await self.describe(workflow_id):
                    held = PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
                    if described.pending_workflow_task.state == held or not described.HasField("pending_workflow_task"):
                        break  # A worker has it until it times out, or has already seen the request.
                    await unless_gone(self.work(described.execution_config.task_queue.name, completed()))
        start = StartWorkflowExecutionRequest(namespace=NAMESPACE, workflow_id=workflow_id, request_id="the last one")
        start.workflow_type.name = "Fresh"
        start.task_queue.name = f"fresh {workflow_id}"
        # What is still open ends here; meanwhile another run may have started a child with this id.
        start.workflow_id_conflict_policy = WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
        await self.ask("StartWorkflowExecution", start)
        async with asyncio.timeout(PATIENCE):
            while await self.describe(workflow_id):
                await unless_gone(self.work(start.task_queue.name, completed()))


async def unless_gone(call: Awaitable[Any]) -> None:
    """Makes a call whose run or task may have ended meanwhile, such as by a timeout."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            raise


def rejected(request: Message) -> Message:
    rejection = Rejection(rejected_request_message_id=request.id)
    request.body.Unpack(rejection.rejected_request)
    rejection.failure.message = "no"
    answer = Message(id=f"{request.id}/rejected", protocol_instance_id=request.protocol_instance_id)
    answer.body.Pack(rejection)
    return answer


def completed() -> Command:
    command = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
    command.complete_workflow_execution_command_attributes.SetInParent()
    return command


def path_of(method: Any) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


async def run(seed: int, count: int, verbose: bool) -> list[str]:
    binary = Path(os.environ.get("SAGAMORE_BINARY") or REPOSITORY / ".build/debug/sagamore")
    async with sagamore_server(binary) as server, grpc.aio.insecure_channel(server.address) as channel:
        fuzzer = Fuzzer(server, channel, seed)
        other = RegisterNamespaceRequest(namespace=OTHER_NAMESPACE)
        other.workflow_execution_retention_period.FromSeconds(86_400)
        await fuzzer.ask("RegisterNamespace", other)
        await fuzzer.fuzz(count)
        if not server.runs():
            return [*fuzzer.problems, "  the server has ended"]
        await fuzzer.check_runs()
        missing = [method.name for method in METHODS if method.name not in fuzzer.statuses]
        if missing and not fuzzer.problems:
            fuzzer.problems.append(f"  never asked: {', '.join(missing)}")
        if verbose:
            for name, counts in sorted(fuzzer.statuses.items()):
                print(f"{name:40} {dict(counts)}")
            print("never OK:", ", ".join(fuzzer.never_ok) or "none")
        if fuzzer.tests_little and not fuzzer.problems:
            names = ", ".join(fuzzer.never_ok)
            fuzzer.problems.append(f"  too many calls were never answered OK, so little is tested: {names}")
        return fuzzer.problems


def main() -> None:
    parser = argparse.ArgumentParser(prog="Tests/Fuzz/run", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="repeats the requests of another run")
    parser.add_argument("--requests", type=int, default=6_000, metavar="N", help="how many (default: 6,000)")
    parser.add_argument("--verbose", action="store_true", help="print how often each call got which status")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"seed {seed}")
    sys.stdout.flush()
    began = time.monotonic()
    problems = asyncio.run(run(seed, arguments.requests, arguments.verbose))
    outcome, seconds = "failed" if problems else "passed", time.monotonic() - began
    print(f"{outcome}  fuzz  every-request-gets-a-status  ({seconds:.1f} s) seed {seed}")
    for problem in problems:
        print(problem)
    print("0 passed, 1 failed, 0 skipped" if problems else "1 passed, 0 failed, 0 skipped")
    sys.exit(1 if problems else 0)


main()
