"""The scenarios: each is an async function of a `Stage`; its name is its workflow's id and its task queue."""

from collections.abc import Awaitable, Callable

from ..stage import Stage

Scenario = Callable[[Stage], Awaitable[None]]

ALL: dict[str, Scenario] = {}

SMALL_LIMITS = {
    "limit.historyCount.suggestContinueAsNew": 8,
    "limit.historyCount.warn": 20,
    "limit.historyCount.error": 30,
    "limit.historySize.suggestContinueAsNew": 6_000,
    "limit.historySize.warn": 10_000,
    "limit.historySize.error": 20_000,
    "history.maximumSignalsPerExecution": 5,
    "limit.blobSize.warn": 2_000,
    "limit.blobSize.error": 4_000,
    "limit.memoSize.warn": 500,
    "limit.memoSize.error": 1_000,
    "frontend.searchAttributesNumberOfKeysLimit": 2,
    "frontend.searchAttributesSizeOfValueLimit": 100,
    "limit.numPendingActivities.error": 3,
    "limit.numPendingChildExecutions.error": 2,
    "limit.numPendingSignals.error": 2,
    "limit.numPendingCancelRequests.error": 2,
    "limit.maxIDLength": 200,
}
"""The dynamic configuration of the servers that play scenarios about limits."""

WITH_SMALL_LIMITS: set[str] = set()
"""The names of those scenarios."""


def scenario(function: Scenario) -> Scenario:
    """Adds a scenario to those that are run, in the order of the source."""
    name = function.__name__.replace("_", "-")
    if name in ALL:
        raise ValueError(f"two scenarios are named {name}")
    ALL[name] = function
    return function


def small_limits(function: Scenario) -> Scenario:
    """Adds a scenario that is played by servers with `SMALL_LIMITS`."""
    WITH_SMALL_LIMITS.add(function.__name__.replace("_", "-"))
    return scenario(function)


# In the order in which they are run.
from . import (  # noqa: E402, I001
    main as main,
    travel_booking as travel_booking,
    swift_worker as swift_worker,
    workflow_tasks as workflow_tasks,
    commands as commands,
    queries as queries,
    updates as updates,
    updates_with_sdk as updates_with_sdk,
    update_with_start as update_with_start,
    activities as activities,
    activities_by_id as activities_by_id,
    activity_operations as activity_operations,
    activity_details as activity_details,
    task_queues as task_queues,
    starting as starting,
    workflows as workflows,
    limits as limits,
    reverse_history as reverse_history,
    deleting as deleting,
    namespaces as namespaces,
    chains as chains,
    children as children,
    external_workflows as external_workflows,
    starts as starts,
    resetting as resetting,
    execution_options as execution_options,
    visibility as visibility,
    batches as batches,
    builds as builds,
    schedules as schedules,
    command_line as command_line,
)
