"""Checks the comparison itself, so that it cannot pass because it sees nothing."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History

from .compare import differences
from .normalise import Normaliser

RUN, OTHER_RUN = "11111111-2222-4333-8444-555555555555", "66666666-2222-4333-8444-555555555555"


def history() -> History:
    """Started and completed, with a run id in three places."""
    history = History()
    started = history.events.add(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    started.event_time.GetCurrentTime()
    attributes = started.workflow_execution_started_event_attributes
    attributes.original_execution_run_id = attributes.first_execution_run_id = RUN
    attributes.workflow_task_timeout.FromTimedelta(timedelta(seconds=10))
    attributes.identity = "1@host"
    completed = history.events.add(event_id=2, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED)
    completed.event_time.GetCurrentTime()
    completed.workflow_execution_completed_event_attributes.new_execution_run_id = RUN
    return history


def started(history: History) -> Any:
    return history.events[0].workflow_execution_started_event_attributes


def all_ids(history: History, run_id: str) -> None:
    started(history).original_execution_run_id = started(history).first_execution_run_id = run_id
    history.events[1].workflow_execution_completed_event_attributes.new_execution_run_id = run_id


SAME: list[Callable[[History], Any]] = [
    lambda history: None,
    lambda history: all_ids(history, OTHER_RUN),
    lambda history: setattr(started(history), "identity", "2@elsewhere"),
    lambda history: history.events[0].event_time.FromSeconds(1),
]
DIFFERENT: list[Callable[[History], Any]] = [
    lambda history: setattr(started(history), "first_execution_run_id", OTHER_RUN),
    lambda history: setattr(started(history), "attempt", 1),
    lambda history: started(history).ClearField("identity"),
    lambda history: started(history).workflow_task_timeout.FromTimedelta(timedelta(seconds=11)),
    lambda history: started(history).header.SetInParent(),
    lambda history: history.events[0].ClearField("event_time"),
    lambda history: history.events.pop(),
    lambda history: history.events.add(event_id=3),
    lambda history: setattr(history.events[1], "event_id", 3),
    lambda history: setattr(history.events[1], "event_type", EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED),
]


def check() -> list[str]:
    """What the comparison overlooks, or sees where there is nothing; empty when it is right."""
    problems = []
    for expected, changes in ((False, SAME), (True, DIFFERENT)):
        for number, change in enumerate(changes):
            changed = copy.deepcopy(history())
            change(changed)
            shown = [{"history": Normaliser().message(each)["events"]} for each in (history(), changed)]
            if bool(differences(("one", shown[0]), ("other", shown[1]))) != expected:
                problems.append(f"  {'overlooks' if expected else 'complains about'} change {number}")
    return problems
