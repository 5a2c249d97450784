"""An optional log of every activity attempt, for tests that kill things."""

import json
import os
import time
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class ActivityLog(Interceptor):
    """Appends one JSON line when an attempt starts and one when it returns; an attempt that raises has only the first.

    Several processes can share the file: each line is a single write to a file opened for appending.
    """

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return LoggedActivities(next, self.file)


class LoggedActivities(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, file: int) -> None:
        super().__init__(next)
        self.file = file

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.log("started")
        result = await super().execute_activity(input)
        self.log("returned")
        return result

    def log(self, phase: str) -> None:
        info = activity.info()
        line = {
            "workflow_id": info.workflow_id,
            "run_id": info.workflow_run_id,
            "activity": info.activity_type,
            "attempt": info.attempt,
            "phase": phase,
            "given": info.started_time.timestamp(),
            "time": time.time(),
            "pid": os.getpid(),
        }
        os.write(self.file, (json.dumps(line) + "\n").encode())
