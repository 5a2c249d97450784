"""The scenarios: each is an async function of a `Stage`; its name is its workflow's id and its task queue."""

from collections.abc import Awaitable, Callable

from ..stage import Stage

Scenario = Callable[[Stage], Awaitable[None]]

ALL: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Adds a scenario to those that are run, in the order of the source."""
    name = function.__name__.replace("_", "-")
    if name in ALL:
        raise ValueError(f"two scenarios are named {name}")
    ALL[name] = function
    return function


# In the order in which they are run.
from . import (  # noqa: E402, I001
    main as main,
    travel_booking as travel_booking,
    swift_worker as swift_worker,
    workflow_tasks as workflow_tasks,
    commands as commands,
    queries as queries,
    activities as activities,
    starting as starting,
    workflows as workflows,
)
