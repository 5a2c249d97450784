"""Sagas on the Temporal Python SDK: steps with undos, which run in reverse when the saga fails or is given up."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

Result = TypeVar("Result")


@dataclass(frozen=True)
class Undo:
    step: str
    activity: Callable[..., Any]
    name: str
    argument: Any


class Saga:
    """Runs activities one after the other, each with the activity that undoes it.

    When a step fails, when `abort` is called or when the workflow is cancelled, the undos of all steps that were
    *tried* run in reverse: a step that failed may still have had its effect. Nothing interrupts them. How the
    workflow ends then:

    - failure or abort: an application failure of type `SagaCompensated`;
    - cancellation: the workflow is cancelled;
    - an undo that fails (for good, after its retries): an application failure of type `SagaCompensationFailed`.
      The other undos have run all the same.

    The first detail of both failures tells what was undone, in that order:
    `[{"step", "compensation", "status": "compensated" | "failed", "failure": {"type", "message", "cause"}}]`.
    """

    def __init__(self, **options: Any) -> None:
        """`options` go to every activity: at least a timeout, as `workflow.execute_activity` wants it."""
        self.done: list[str] = []
        """The names of the activities that succeeded so far."""
        self._options = options
        self._undos: list[Undo] = []
        self._aborted: str | None = None
        self._stopped = False

    def abort(self, reason: str) -> None:
        """Gives the saga up, for instance from a signal handler. Changes nothing once it is being rolled back."""
        if self._aborted is None:
            self._aborted = reason

    async def step(self, activity: Callable[..., Any], argument: Any, *, undo: Callable[..., Any]) -> Any:
        """Runs `activity`; `undo` gets the same argument. Returns the activity's result."""
        self._undos.append(Undo(name_of(activity), undo, name_of(undo), argument))
        # An undo must not overtake a step that still runs, so a cancelled step is waited for.
        result = await workflow.execute_activity(
            activity,
            argument,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **self._options,
        )
        self.done.append(name_of(activity))
        if self._stopped:
            raise asyncio.CancelledError("the saga was given up while this step ran")
        return result

    async def run(self, steps: Coroutine[Any, Any, Result]) -> Result:
        """Runs the coroutine that does the steps, and rolls back when it has to."""
        work = asyncio.create_task(steps)
        cancelled = False
        try:
            await workflow.wait_condition(lambda: work.done() or self._aborted is not None)
        except asyncio.CancelledError:
            cancelled = True
        return await uninterrupted(self._finish(work, cancelled))

    async def _finish(self, work: asyncio.Task[Result], cancelled: bool) -> Result:
        self._stopped = cancelled or self._aborted is not None
        if self._stopped:
            work.cancel()
        await workflow.wait([work])
        error = asyncio.CancelledError() if work.cancelled() else work.exception()
        if error is None and not self._stopped:
            return work.result()
        if error is not None and not isinstance(error, (FailureError, asyncio.CancelledError)):
            raise error  # a defect of the workflow's code: fails the workflow task, which can be repaired
        reason = self._reason(error, cancelled)
        compensations = await self._roll_back()
        # Given up, or cancelled: then there is no failure to name as the cause.
        cause = None if error is None or is_cancelled_exception(error) else error
        if any(each["status"] == "failed" for each in compensations):
            raise ApplicationError(
                f"{reason}; not everything could be undone",
                compensations,
                type="SagaCompensationFailed",
                non_retryable=True,
            ) from cause
        if cancelled:
            raise asyncio.CancelledError(reason)
        raise ApplicationError(reason, compensations, type="SagaCompensated", non_retryable=True) from cause

    def _reason(self, error: BaseException | None, cancelled: bool) -> str:
        if cancelled:
            return "the workflow was cancelled"
        if self._aborted is not None:
            return self._aborted
        if isinstance(error, ActivityError):
            return f"{error.activity_type} failed: {describe(error)['message']}"
        return str(error)

    async def _roll_back(self) -> list[dict[str, Any]]:
        compensations: list[dict[str, Any]] = []
        for undo in reversed(self._undos):
            outcome: dict[str, Any] = {"step": undo.step, "compensation": undo.name, "status": "compensated"}
            try:
                await workflow.execute_activity(undo.activity, undo.argument, **self._options)
                self.done.append(undo.name)
            except ActivityError as error:
                outcome |= {"status": "failed", "failure": describe(error)}
            compensations.append(outcome)
        return compensations


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Awaits `work` to its end: a cancellation of the workflow meanwhile changes nothing."""
    task = asyncio.create_task(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await workflow.wait([task])
    return task.result()


def describe(error: BaseException) -> dict[str, Any]:
    """A failure as JSON: `{"type", "message", "cause"}`, `cause` in the same shape or absent."""
    if isinstance(error, ActivityError) and error.cause is not None:
        return describe(error.cause)  # says only which activity failed, and the caller knows that
    failure: dict[str, Any] = {
        "type": (error.type if isinstance(error, ApplicationError) else None) or type(error).__name__,
        "message": error.message if isinstance(error, FailureError) else str(error),
    }
    if error.__cause__ is not None:
        failure["cause"] = describe(error.__cause__)
    return failure


def name_of(activity: Callable[..., Any]) -> str:
    return activity.__name__
