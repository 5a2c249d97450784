"""Updates with workers and clients of the official SDK: validators, handlers that wait, restarts."""

import asyncio
import contextlib
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateStage
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from ..stage import Stage
from . import scenario


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Account:
    """Takes deposits until it is closed."""

    def __init__(self) -> None:
        self.balance = 0
        self.is_closed = False
        self.is_held_up = False

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.is_closed and workflow.all_handlers_finished())
        return self.balance

    @workflow.update
    async def deposit(self, amount: int) -> int:
        self.balance += amount
        return self.balance

    @deposit.validator
    def check_deposit(self, amount: int) -> None:
        if amount < 0:
            raise ApplicationError("a deposit can't be negative", type="Negative")

    @workflow.update
    async def interest(self, number: int) -> int:
        """Needs an activity, so that it is accepted and completed with different tasks."""
        await workflow.wait_condition(lambda: not self.is_held_up)
        self.balance += await workflow.execute_activity(
            double, number, start_to_close_timeout=timedelta(seconds=10), activity_id=f"double-{number}"
        )
        return self.balance

    @workflow.update
    async def fail(self) -> None:
        raise ApplicationError("no such account", type="Unknown")

    @workflow.signal
    def hold_up(self, is_held_up: bool) -> None:
        self.is_held_up = is_held_up

    @workflow.signal
    def close(self) -> None:
        self.is_closed = True

    @workflow.query
    def total(self) -> int:
        return self.balance


async def open_account(stage: Stage) -> WorkflowHandle[Account, int]:
    return await stage.client.start_workflow(Account.run, id=stage.name, task_queue=stage.name)


@scenario
async def sdk_updates(stage: Stage) -> None:
    """Accepted, rejected and failed ones, and a query and an end behind them."""
    async with stage.worker([Account], [double]):
        handle = await open_account(stage)
        await stage.until_history(lambda types: "WORKFLOW_TASK_COMPLETED" in types)
        stage.record("deposit", await handle.execute_update(Account.deposit, 5, id="u-1"))
        await stage.attempt("negative deposit", handle.execute_update(Account.deposit, -1, id="u-2"))
        await stage.history(name="history behind a rejected update")
        stage.record("the same again", await handle.execute_update(Account.deposit, 70, id="u-1"))
        await stage.attempt("failure", handle.execute_update(Account.fail, id="u-3"))
        stage.record("interest", await handle.execute_update(Account.interest, 2, id="u-4"))
        await stage.attempt("unknown", handle.execute_update("unknown", id="u-5"))
        stage.record("total", await handle.query(Account.total))
        await handle.signal(Account.close)
        await stage.outcome(handle)
        stage.record("outcome after the close", await handle.get_update_handle("u-1").result())
        await stage.attempt("update after the close", handle.execute_update(Account.deposit, 1, id="u-6"))
    await stage.history()


@scenario
async def sdk_update_across_workers(stage: Stage) -> None:
    """Accepted by one worker, completed by the next, which replays the history."""
    async with stage.worker([Account], [double]):
        handle = await open_account(stage)
        await handle.signal(Account.hold_up, True)
        started = await handle.start_update(
            Account.interest, 3, id="u-1", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
    waiting = asyncio.create_task(started.result())
    async with stage.worker([Account], [double]):
        await handle.signal(Account.hold_up, False)
        stage.record("interest", await waiting)
        stage.record("deposit", await handle.execute_update(Account.deposit, 1, id="u-2"))
        await handle.signal(Account.close)
        await stage.outcome(handle)


@scenario
async def sdk_update_before_a_worker(stage: Stage) -> None:
    """Sent before any worker has the workflow, beside a signal that came first."""
    handle = await open_account(stage)
    await handle.signal(Account.hold_up, False)
    update = asyncio.create_task(handle.execute_update(Account.deposit, 4, id="u-1"))
    await asyncio.sleep(0.5)
    async with stage.worker([Account], [double]):
        stage.record("deposit", await update)
        await handle.signal(Account.close)
        await stage.outcome(handle)
    await stage.history()


@scenario
async def sdk_update_and_the_end(stage: Stage) -> None:
    """The workflow is terminated while an accepted update waits."""
    async with stage.worker([Account], [double]):
        handle = await open_account(stage)
        await handle.signal(Account.hold_up, True)
        started = await handle.start_update(
            Account.interest, 3, id="u-1", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        waiting = asyncio.create_task(started.result())
        await handle.terminate("enough")
        await stage.attempt("outcome", waiting)
        await stage.attempt("outcome afterwards", handle.get_update_handle("u-1").result())


@scenario
async def sdk_update_with_start(stage: Stage) -> None:
    """The first deposit opens the account, the next ones use it, whether it is negative or not."""

    def opening(policy: WorkflowIDConflictPolicy) -> "WithStartWorkflowOperation[Account, int]":
        return WithStartWorkflowOperation(
            Account.run, id=stage.name, task_queue=stage.name, id_conflict_policy=policy
        )

    async def deposit(name: str, amount: int, policy: WorkflowIDConflictPolicy) -> None:
        start = opening(policy)
        await stage.attempt(
            name,
            stage.client.execute_update_with_start_workflow(
                Account.deposit, amount, id=f"update {name}", start_workflow_operation=start
            ),
        )
        with contextlib.suppress(Exception):
            stage.record(f"{name}: run", (await start.workflow_handle()).result_run_id is not None)

    use, fail = WorkflowIDConflictPolicy.USE_EXISTING, WorkflowIDConflictPolicy.FAIL
    async with stage.worker([Account], [double]):
        await deposit("first", 5, use)
        await deposit("second", 6, use)
        await deposit("negative", -1, use)
        await deposit("refused", 7, fail)
        handle = stage.client.get_workflow_handle_for(Account.run, stage.name)
        await handle.signal(Account.close)
        stage.record("result", await handle.result())
        await stage.history()
