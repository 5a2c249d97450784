"""The `temporal` program, run against both servers: the same exit status, and answers of the same shape."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from ..raw import RawWorker, complete_workflow, schedule_activity
from ..stage import Stage
from . import scenario
from .visibility import own_namespace

TEMPORAL = Path(os.environ.get("SAGAMORE_TEST_TEMPORAL") or Path(sys.executable).parent / "temporal")


class CommandLine:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.common = ["--address", stage.server.address, "--namespace", stage.client.namespace]

    async def run(self, *arguments: str, name: str = "", ignoring: "set[str] | None" = None) -> Any:
        """Runs a command, and records its exit status and the shape of its answer."""
        status, output, errors = await self.execute(*arguments)
        observed: dict[str, Any] = {"status": status}
        answer: Any = None
        if status == 0:
            try:
                answer = json.loads(output) if output.strip() else None
                observed["answer"] = shape(answer, ignoring or set())
            except ValueError:
                observed["text"] = bool(output.strip())
        else:
            # Sagamore says at which character a filter is wrong.
            observed["error"] = steady((errors or output).strip().splitlines()[0]).split(" at character")[0]
        self.stage.record(name or " ".join(steady(argument) for argument in arguments), observed)
        return answer

    async def execute(self, *arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            str(TEMPORAL), *arguments, *self.common, "--output", "json",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "TEMPORAL_CLI_DISABLE_UPDATE_CHECK": "1"},
        )  # fmt: skip
        output, errors = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode or 0, output.decode(), errors.decode()


MOVING = {
    "runId", "run_id", "firstExecutionRunId", "originalExecutionRunId", "eventTime", "taskId", "startTime",
    "closeTime", "executionTime", "requestId", "identity", "version", "stateSizeBytes", "historySizeBytes",
    "sizeBytes", "versionInfo", "lastAccessTime", "ratePerSecond", "tasksAddRate", "tasksDispatchRate", "rate",
    "id", "clusterId", "clusterName", "serverVersion", "supportedClients", "conflictToken", "workerIdentity",
    "executionDuration", "activeClusterName", "historyArchivalUri", "visibilityArchivalUri", "lastStartedTime",
    "lastUpdateTime", "jobId", "baseRunId", "newRunId", "createTime", "updateTime", "futureActionTimes",
    "recentActions", "nextPageToken", "workflowTaskToken", "token", "stateTransitionCount", "binaryChecksum",
    "sdkMetadata", "capabilities", "sdkVersion", "limits",
}  # fmt: skip
"""Fields whose values differ from run to run, or from server to server. That they are there is compared."""


def shape(answer: Any, ignoring: "set[str]") -> Any:
    if isinstance(answer, dict):
        return {
            key: "…" if key in MOVING else shape(value, ignoring)
            for key, value in answer.items()
            if key not in ignoring and value not in ("0s", {})
        }
    if isinstance(answer, list):
        return [shape(value, ignoring) for value in answer]
    return steady(answer) if isinstance(answer, str) else answer


def steady(text: str) -> str:
    """Without ids, times and ports."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?", "TIME", text)
    return re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)


@scenario
async def command_line_workflows(stage: Stage) -> None:
    """Starts, reads, signals, cancels, resets and deletes."""
    own = await own_namespace(stage)
    line = CommandLine(own)
    worker = RawWorker(own)
    queue = ["--task-queue", own.name]
    start = ["workflow", "start", "--type", "W", *queue]
    more = ["--input", '{"n": 1}', "--memo", 'm="x"', "--search-attribute", 'AKeyword="k"']
    await line.run(*start, "--workflow-id", "a", *more, name="start")
    await line.run(*start, "--workflow-id", "a", "--id-conflict-policy", "Fail", name="started twice")
    await line.run("workflow", "describe", "--workflow-id", "a", ignoring={"extendedInfo", "workflowExtendedInfo"})
    await line.run("workflow", "signal", "--workflow-id", "a", "--name", "s", "--input", "1")
    await line.run("workflow", "show", "--workflow-id", "a")
    task = await worker.poll()
    await worker.complete(task, complete_workflow("done"))
    await line.run("workflow", "result", "--workflow-id", "a")
    await line.run("workflow", "describe", "--workflow-id", "a", name="described when closed",
                   ignoring={"extendedInfo", "workflowExtendedInfo"})  # fmt: skip
    await line.run(
        "workflow", "reset", "--workflow-id", "a", "--type", "FirstWorkflowTask", "--reason", "again"
    )
    await line.run("workflow", "cancel", "--workflow-id", "a", "--reason", "c")
    await line.run("workflow", "terminate", "--workflow-id", "a", "--reason", "t")
    await line.run("workflow", "query", "--workflow-id", "a", "--type", "q", name="query without a worker")
    await line.run("workflow", "signal-with-start", *queue, "--workflow-id", "b", "--type", "W", "--signal-name", "s")
    await line.run("workflow", "start", *queue, "--workflow-id", "delayed", "--type", "W", "--start-delay", "1h")
    await line.run("workflow", "stack", "--workflow-id", "none")
    await line.run("workflow", "describe", "--workflow-id", "none")
    await line.run("workflow", "show", "--workflow-id", "none")

    async def three() -> bool:
        answer = await line.execute("workflow", "count")
        return json.loads(answer[1]).get("count") == "4"

    await stage.until(three)
    await line.run("workflow", "count")
    await line.run("workflow", "count", "--query", "GROUP BY ExecutionStatus")
    ended = "WorkflowType = 'W' AND AKeyword = 'k' AND ExecutionStatus = 'Terminated'"
    await line.run("workflow", "list", "--query", ended)
    await line.run("workflow", "list", "--query", "Nope = 'x'", name="a wrong filter", ignoring=set())
    await line.run("workflow", "trace", "--workflow-id", "a", name="trace")
    await line.run("workflow", "delete", "--workflow-id", "delayed")
    await line.run("workflow", "delete", "--workflow-id", "none")
    await line.run("workflow", "terminate", "--query", "WorkflowId = 'b'", "--reason", "r", "--yes", name="a batch")

    async def has_ended() -> bool:
        answer = json.loads((await line.execute("batch", "list"))[1])
        return bool(answer) and answer[0].get("state") == "BATCH_OPERATION_STATE_COMPLETED"

    await stage.until(has_ended)
    jobs = await line.run("batch", "list")
    await line.run("batch", "describe", "--job-id", jobs[0]["jobId"], name="describe the batch")
    await line.run("batch", "describe", "--job-id", "none")
    await line.run("batch", "terminate", "--job-id", "none", "--reason", "r")


@scenario
async def command_line_activities(stage: Stage) -> None:
    """A pending activity: paused, changed, reset, and answered by its id."""
    own = await own_namespace(stage)
    line = CommandLine(own)
    worker = RawWorker(own)
    await line.execute("workflow", "start", "--type", "W", "--task-queue", own.name, "--workflow-id", "a")
    task = await worker.poll()
    await worker.complete(task, *(schedule_activity(id, own, start_to_close_timeout=60) for id in ("one", "two")))
    of = ["--workflow-id", "a", "--activity-id"]
    await line.run("activity", "pause", *of, "one", "--identity", "me")
    await line.run("activity", "update-options", *of, "one", "--start-to-close-timeout", "77s")
    await line.run("activity", "unpause", *of, "one", "--identity", "me")
    await line.run("activity", "reset", *of, "one", "--identity", "me")
    await line.run("activity", "complete", *of, "one", "--result", '"r"', "--identity", "me")
    await line.run("activity", "fail", *of, "two", "--reason", "no", "--identity", "me")
    await line.run("activity", "complete", *of, "none", "--result", '"r"', "--identity", "me", name="complete none")
    await line.run("activity", "pause", *of, "none", "--identity", "me", name="pause none")


@scenario
async def command_line_schedules(stage: Stage) -> None:
    """A schedule from its creation to its end."""
    line = CommandLine(stage)
    of = ["--schedule-id", "cl"]
    action = ["--workflow-id", "scheduled", "--type", "W", "--task-queue", stage.name]
    await line.run(
        "schedule", "create", *of, *action, "--cron", "0 12 * * MON-FRI", "--time-zone", "Europe/Berlin", "--paused",
        "--notes", "n", "--overlap-policy", "BufferAll", "--catchup-window", "1h", "--schedule-memo", 'm="x"',
        name="schedule create",
    )  # fmt: skip
    await line.run("schedule", "create", *of, *action, "--interval", "1h/10m", name="created twice")
    await line.run("schedule", "create", "--schedule-id", "bad", *action, "--cron", "nonsense", name="a wrong cron")
    await line.run("schedule", "describe", *of)
    await line.run("schedule", "toggle", *of, "--unpause", "--reason", "go")
    await line.run("schedule", "toggle", *of, "--pause", "--reason", "stop")
    await line.run("schedule", "trigger", *of)
    times = ["--start-time", "2026-01-05T00:00:00Z", "--end-time", "2026-01-06T00:00:00Z"]
    await line.run("schedule", "backfill", *of, *times, "--overlap-policy", "AllowAll", name="schedule backfill")
    await line.run("schedule", "update", *of, *action, "--interval", "2h/5m", name="schedule update")
    await line.run("schedule", "describe", *of, name="described again", ignoring={"info"})
    await line.run("schedule", "delete", *of)
    await line.run("schedule", "delete", "--schedule-id", "none")
    await line.run("schedule", "describe", "--schedule-id", "none")
    await line.run("schedule", "trigger", "--schedule-id", "none")


@scenario
async def command_line_operators(stage: Stage) -> None:
    """Search attributes, namespaces, task queues and the cluster."""
    own = await own_namespace(stage)
    line = CommandLine(own)
    await line.run("operator", "search-attribute", "create", "--name", "Extra", "--type", "Keyword")
    await line.run("operator", "search-attribute", "list", ignoring={"storageSchema", "systemAttributes"})
    await line.run("operator", "search-attribute", "remove", "--name", "Extra", "--yes")
    await line.run("operator", "search-attribute", "remove", "--name", "Nope", "--yes", name="remove an unknown one")
    await line.run("operator", "cluster", "health")
    for verb in ("describe", "system"):
        status, _, _ = await line.execute("operator", "cluster", verb)
        stage.record(f"operator cluster {verb}", status)
    another = f"{own.name}-cl"
    await line.run("operator", "namespace", "create", another, "--retention", "2d", "--description", "d", name="create")
    await line.run("operator", "namespace", "create", another, name="created twice")
    replication = {"replicationConfig", "isGlobalNamespace", "failoverVersion", "failoverHistory", "data"}
    await line.run("operator", "namespace", "describe", another, name="describe", ignoring=replication)
    await line.run("operator", "namespace", "update", another, "--description", "e", "--retention", "3d", name="update")
    await line.run("operator", "namespace", "describe", "nowhere", name="describe nowhere")
    status, _, _ = await line.execute("operator", "namespace", "list")
    stage.record("list", status)
    await line.run("operator", "namespace", "delete", another, "--yes", name="delete", ignoring={"deletedNamespace"})
    moving = {"pollers", "stats", "taskQueues", "versioningInfo"}
    await line.run("task-queue", "describe", "--task-queue", own.name, ignoring=moving)
    await line.run("task-queue", "config", "get", "--task-queue", own.name, "--task-queue-type", "activity")
    await line.run(
        "task-queue", "config", "set", "--task-queue", own.name, "--task-queue-type", "activity",
        "--queue-rps-limit", "100", "--queue-rps-limit-reason", "slow", name="config set",
    )  # fmt: skip
