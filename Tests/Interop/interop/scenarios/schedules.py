"""Schedules: what their specs mean, what is refused, and what becomes of their actions."""

from datetime import datetime, timedelta, timezone
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Memo, SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import EventType, ScheduleOverlapPolicy, WorkflowExecutionStatus, WorkflowIdReusePolicy
from temporalio.api.schedule.v1 import (
    BackfillRequest,
    CalendarSpec,
    IntervalSpec,
    Range,
    Schedule,
    ScheduleAction,
    SchedulePatch,
    SchedulePolicies,
    ScheduleSpec,
    ScheduleState,
    StructuredCalendarSpec,
    TriggerImmediatelyRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountSchedulesRequest,
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    ListScheduleMatchingTimesRequest,
    ListSchedulesRequest,
    PatchScheduleRequest,
    TerminateWorkflowExecutionRequest,
    UpdateScheduleRequest,
)
from temporalio.service import RPCError

from ..raw import RawWorker, application_failure, complete_workflow, fail_workflow
from ..stage import Stage
from . import scenario
from .visibility import own_namespace, payload

PAUSED = ScheduleState(paused=True)
OVERLAP = ScheduleOverlapPolicy
DAY = timedelta(days=1)


def seconds(count: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=count))
    return duration


def at(text: str) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp


def moment(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time.replace(tzinfo=None))
    return timestamp


def every(count: float, phase: float = 0) -> ScheduleSpec:
    return ScheduleSpec(interval=[IntervalSpec(interval=seconds(count), phase=seconds(phase))])


def action(queue: str, **fields: Any) -> ScheduleAction:
    workflow: dict[str, Any] = {
        "workflow_id": "w",
        "workflow_type": WorkflowType(name="W"),
        "task_queue": TaskQueue(name=queue),
        **fields,
    }
    return ScheduleAction(start_workflow=NewWorkflowExecutionInfo(**workflow))


class Schedules:
    """The schedules of a stage: a namespace, a task queue, and calls by their ids."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.namespace = stage.client.namespace
        self.count = 0

    def given(self, **fields: Any) -> Schedule:
        more: dict[str, Any] = {"action": action(self.stage.name), **fields}
        return Schedule(**more)

    def create(self, id: str, schedule: Schedule, **fields: Any) -> Any:
        self.count += 1
        request: dict[str, Any] = {"namespace": self.namespace, "request_id": f"r{self.count}", **fields}
        return self.stage.service.create_schedule(
            CreateScheduleRequest(schedule_id=id, schedule=schedule, **request)
        )

    async def describe(self, id: str) -> Any:
        request = DescribeScheduleRequest(namespace=self.namespace, schedule_id=id)
        return await self.stage.service.describe_schedule(request)

    async def patch(self, id: str, **fields: Any) -> None:
        self.count += 1
        request = PatchScheduleRequest(
            namespace=self.namespace, schedule_id=id, patch=SchedulePatch(**fields), request_id=f"p{self.count}"
        )
        await self.stage.service.patch_schedule(request)

    async def trigger(self, id: str, time: str, policy: int = 0) -> None:
        """Triggers an action at a time of its own, so that its workflow has the same id on each server."""
        await self.patch(
            id, trigger_immediately=TriggerImmediatelyRequest(scheduled_time=at(time), overlap_policy=policy)
        )
        # Temporal's server loses one of two that come at once.
        await self.describe(id)

    async def delete(self, id: str) -> None:
        request = DeleteScheduleRequest(namespace=self.namespace, schedule_id=id)
        await self.stage.service.delete_schedule(request)

    async def times(self, id: str, start: str | datetime, end: str | datetime) -> list[str]:
        request = ListScheduleMatchingTimesRequest(namespace=self.namespace, schedule_id=id)
        request.start_time.CopyFrom(at(start) if isinstance(start, str) else moment(start))
        request.end_time.CopyFrom(at(end) if isinstance(end, str) else moment(end))
        answer = await self.stage.service.list_schedule_matching_times(request)
        return [time.ToJsonString() for time in answer.start_time]

    async def until(self, id: str, condition: Any) -> Any:
        """Describes until a condition holds. The Temporal server takes note of ends when it is asked."""

        async def holds() -> bool:
            return bool(condition((await self.describe(id)).info))

        await self.stage.until(holds)
        return await self.describe(id)

    async def terminate(self, workflow_id: str) -> None:
        request = TerminateWorkflowExecutionRequest(namespace=self.namespace)
        request.workflow_execution.workflow_id = workflow_id
        await self.stage.service.terminate_workflow_execution(request)


def counts(description: Any) -> dict[str, Any]:
    info = description.info
    return {
        "actions": info.action_count,
        "missed": info.missed_catchup_window,
        "skipped": info.overlap_skipped,
        "dropped": info.buffer_dropped,
        "buffered": info.buffer_size,
        "running": [run.workflow_id for run in info.running_workflows],
        "recent": [
            [result.start_workflow_result.workflow_id, result.schedule_time.ToJsonString()]
            for result in info.recent_actions
        ],
        "paused": description.schedule.state.paused,
        "notes": description.schedule.state.notes,
        "remaining": description.schedule.state.remaining_actions,
        "token": int.from_bytes(description.conflict_token, "big"),
        "updated": info.HasField("update_time"),
    }


# MARK: Specs

ZONES = {
    "Europe/Berlin": [(3, 29), (10, 25)],
    "America/New_York": [(3, 8), (11, 1)],
    "Australia/Lord_Howe": [(4, 5), (10, 4)],
    "America/Santiago": [(4, 5), (9, 6)],
    "Africa/Cairo": [(4, 24), (10, 30)],
    "Pacific/Auckland": [(4, 5), (9, 27)],
}
"""Days of 2026 on which the clocks of six zones change. Those of 2027 are within a week of them."""

CRONS = ["30 * * * *", "*/20 * * * *", "30 1 * * *", "30 2 * * *", "0 0-3 * * *", "15,45 2-3 * * *", "0 3 * * 0"]


@scenario
async def schedule_times_over_changes_of_clocks(stage: Stage) -> None:
    """Six zones over the changes of 2026 and 2027, by calendars and by what the time was before."""
    schedules = Schedules(stage)
    for zone, days in ZONES.items():
        for cron in CRONS:
            id = f"{zone} {cron}"
            await schedules.create(
                id, schedules.given(spec=ScheduleSpec(cron_string=[cron], timezone_name=zone), state=PAUSED)
            )
            found: dict[str, list[str]] = {}
            for month, day in days:
                for year in (2026, 2027):
                    start = datetime(year, month, day, tzinfo=timezone.utc) - 2 * DAY
                    width = 9 * DAY if cron != "*/20 * * * *" else 4 * DAY
                    found[f"{year}-{month}"] = await schedules.times(id, start, start + width)
                # Also from within the night, where the search begins on another side of the change.
                for minutes in range(-300, 300, 45):
                    start = datetime(2026, month, day, 1, tzinfo=timezone.utc) + timedelta(minutes=minutes)
                    found[f"{month} {minutes}"] = (await schedules.times(id, start, start + DAY))[:4]
            stage.record(id, found)
            await schedules.delete(id)


@scenario
async def schedule_times(stage: Stage) -> None:
    """Intervals, calendars, exclusions, ends and unions."""
    schedules = Schedules(stage)
    weekend = CalendarSpec(second="*", minute="*", hour="*", day_of_week="SAT,SUN")
    month, morning = "2026-01-01T00:00:00Z", "2026-01-01T08:00:00Z"
    specs: dict[str, ScheduleSpec] = {
        "every hour with a phase": every(3_600, 600),
        "every 90 minutes": every(5_400),
        "one and a half seconds": every(1.5),
        "a week with a phase": every(604_800, 3_600),
        "200 years": every(200 * 365 * 86_400),
        "a union": ScheduleSpec(
            cron_string=["0 * * * *", "30 1 * * *"], interval=[IntervalSpec(interval=seconds(5_400))]
        ),
        "13th and Friday": ScheduleSpec(cron_string=["0 0 13 * FRI"]),
        "the 29th of February": ScheduleSpec(cron_string=["0 0 29 2 *"]),
        "the 30th of February": ScheduleSpec(cron_string=["0 0 30 2 *"]),
        "the 31st": ScheduleSpec(cron_string=["0 0 31 * *"]),
        "two years": ScheduleSpec(cron_string=["0 0 1 1 * 2027,2029"]),
        "seconds": ScheduleSpec(cron_string=["*/20 30 6 * * * *"]),
        "without weekends": ScheduleSpec(cron_string=["0 12 * * *"], exclude_calendar=[weekend]),
        "everything excluded": ScheduleSpec(
            cron_string=["0 12 * * *"], exclude_calendar=[CalendarSpec(second="*", minute="*", hour="*")]
        ),
        "from and to": ScheduleSpec(
            cron_string=["0 * * * *"], start_time=at("2026-01-01T03:00:00Z"), end_time=at("2026-01-01T05:00:00Z")
        ),
        "from a part of a second": ScheduleSpec(
            cron_string=["0 * * * *"], start_time=at("2026-01-01T03:00:00.5Z"), end_time=at("2026-01-01T05:00:00.5Z")
        ),
        "ends before it begins": ScheduleSpec(
            cron_string=["0 * * * *"], start_time=at("2026-01-02T00:00:00Z"), end_time=at("2026-01-01T00:00:00Z")
        ),
        "nothing": ScheduleSpec(),
        "an empty calendar": ScheduleSpec(structured_calendar=[StructuredCalendarSpec()]),
        "a calendar": ScheduleSpec(calendar=[CalendarSpec(minute="*/15", hour="9-17/4", day_of_week="mon-fri")]),
        "a negative jitter": ScheduleSpec(cron_string=["0 * * * *"], jitter=seconds(-5)),
    }
    for name, spec in specs.items():
        await schedules.create(name, schedules.given(spec=spec, state=PAUSED))
        stage.record(name, [
            await schedules.times(name, month, "2026-03-01T00:00:00Z"),
            await schedules.times(name, month, morning),
            await schedules.times(name, "2026-01-01T03:00:00Z", "2026-01-01T04:00:00Z"),
            await schedules.times(name, morning, month),
            await schedules.times(name, month, "2029-06-01T00:00:00Z"),
        ])  # fmt: skip
        described = await schedules.describe(name)
        stage.record(f"{name}, described", spec_of(described))
        await schedules.delete(name)


def spec_of(description: Any) -> Any:
    return MessageToDict(description.schedule.spec)


@scenario
async def schedule_specs_normalised(stage: Stage) -> None:
    """How specs, policies and states are shown that leave something out."""
    schedules = Schedules(stage)
    structured = StructuredCalendarSpec(
        second=[Range()], minute=[Range(start=5)], hour=[Range(start=1, end=9, step=2)],
        day_of_month=[Range(start=1, end=31)], month=[Range(start=1, end=12)], day_of_week=[Range(end=6)],
        comment="mine",
    )  # fmt: skip
    given: dict[str, Schedule] = {
        "cron": schedules.given(
            spec=ScheduleSpec(cron_string=["CRON_TZ=Europe/Berlin 5,7-9 */6 1 jan-3 mon-fri # why "])
        ),
        "names": schedules.given(spec=ScheduleSpec(cron_string=["0 0 * January Su,MON/2"])),
        "descriptors": schedules.given(
            spec=ScheduleSpec(cron_string=["@yearly", "@monthly", "@weekly", "@midnight", "@hourly", "@every 1h30m/5m"])
        ),
        "calendar": schedules.given(spec=ScheduleSpec(calendar=[CalendarSpec(year="2030/10", comment="c")])),
        "structured": schedules.given(spec=ScheduleSpec(structured_calendar=[structured])),
        "order": schedules.given(
            spec=ScheduleSpec(
                cron_string=["1 1 1 1 1"], calendar=[CalendarSpec(hour="2")], structured_calendar=[structured],
                exclude_calendar=[CalendarSpec(hour="3")], exclude_structured_calendar=[structured],
            )  # fmt: skip
        ),
        "policies": schedules.given(
            policies=SchedulePolicies(
                overlap_policy=OVERLAP.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL, catchup_window=seconds(1),
                pause_on_failure=True, keep_original_workflow_id=True,
            )  # fmt: skip
        ),
        "state": schedules.given(
            state=ScheduleState(notes="n", paused=True, limited_actions=True, remaining_actions=3), spec=every(60)
        ),
        "no action": Schedule(spec=every(60)),
        "nothing": Schedule(),
    }
    for name, schedule in given.items():
        created = await schedules.create(name, schedule, memo=Memo(fields={"m": payload(1)}))
        described = await schedules.describe(name)
        stage.record(name, {
            "schedule": MessageToDict(described.schedule),
            "counts": counts(described),
            "times": len(described.info.future_action_times),
            "token": created.conflict_token.hex(),
            "memo": MessageToDict(described.memo),
            "attributes": MessageToDict(described.search_attributes),
        })  # fmt: skip
        await schedules.delete(name)


@scenario
async def schedules_refused(stage: Stage) -> None:
    """Definitions that are wrong, and calls on what is not there."""
    schedules = Schedules(stage)
    bad: dict[str, ScheduleSpec] = {
        "interval 0": every(0),
        "interval below zero": every(-5),
        "half a second": every(0.5),
        "phase below zero": every(60, -1),
        "phase too long": every(60, 60),
        "unknown zone": ScheduleSpec(cron_string=["0 0 * * *"], timezone_name="No/Where"),
        "zone data": ScheduleSpec(cron_string=["0 0 * * *"], timezone_name="Mine", timezone_data=b"nonsense"),
        "two zones": ScheduleSpec(cron_string=["TZ=Asia/Tokyo 0 0 * * *", "CRON_TZ=Europe/Rome 0 0 * * *"]),
        "a zone and none": ScheduleSpec(cron_string=["TZ=Asia/Tokyo 0 0 * * *", "0 0 * * *"]),
        "long comment": ScheduleSpec(calendar=[CalendarSpec(comment="c" * 201)]),
        "bad fields": ScheduleSpec(calendar=[CalendarSpec(minute="60", hour="24", day_of_week="8", day_of_month="0")]),
        "bad ranges": ScheduleSpec(
            structured_calendar=[
                StructuredCalendarSpec(hour=[Range(start=24), Range(start=5, end=3)], month=[Range(start=1, step=-1)])
            ]
        ),
        "bad exclusion": ScheduleSpec(exclude_calendar=[CalendarSpec(hour="x")]),
    }
    crons = [
        "", "*", "* * * *", "* * * * * * * *", "# only", "@Hourly", "@reboot", "@every", "@every x", "@every 0s",
        "@every -1s", "@every 1h/2h", "TZ=Asia/Tokyo", "? * * * *", "* L * * *", "99 * * * *", "*/0 * * * *",
        "1/2/3 * * * *", "1-2-3 * * * *", "*/x * * * *", "5-3 * * * *", "x-5 * * * *", "1-x * * * *", "* * * S *",
        "* * * * FRI-MON", "1, 2 * * * *",
    ]  # fmt: skip
    bad |= {f"cron {text!r}": ScheduleSpec(cron_string=[text]) for text in crons}
    for name, spec in bad.items():
        await stage.attempt(name, schedules.create("bad", schedules.given(spec=spec)))
    workflows: dict[str, dict[str, Any]] = {
        "no type": {"workflow_type": None},
        "no queue": {"task_queue": None},
        "reserved queue": {"task_queue": TaskQueue(name="/_sys/x")},
        "a cron schedule": {"cron_schedule": "* * * * *"},
        "a reuse policy": {"workflow_id_reuse_policy": WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE},
        "a negative timeout": {"workflow_run_timeout": seconds(-1)},
        "a long id": {"workflow_id": "w" * 980},
        "an unknown attribute": {"search_attributes": SearchAttributes(indexed_fields={"Nope": payload("x")})},
    }
    for name, fields in workflows.items():
        given = Schedule(spec=every(60), action=action("q", **fields))
        await stage.attempt(name, schedules.create("bad", given))
    attributes = SearchAttributes(indexed_fields={"Nope": payload("x")})
    await stage.attempt("own attribute", schedules.create("bad", schedules.given(), search_attributes=attributes))
    await stage.attempt("no id", schedules.create("", schedules.given()))
    await stage.attempt("long id", schedules.create("s" * 980, schedules.given()))
    await stage.attempt("no request", schedules.create("bad", schedules.given(), request_id=""))
    await stage.attempt("unknown namespace", schedules.create("bad", schedules.given(), namespace="nope"))
    await schedules.create("there", schedules.given(), request_id="same")
    await stage.attempt("created twice", schedules.create("there", schedules.given(), request_id="same"))
    await stage.attempt("in use", schedules.create("there", schedules.given()))
    await refused_calls(stage, schedules)


async def refused_calls(stage: Stage, schedules: Schedules) -> None:
    for id in ("nowhere", ""):
        name = id or "no id"
        update = UpdateScheduleRequest(namespace=schedules.namespace, schedule_id=id, schedule=schedules.given())
        await stage.attempt(f"describe {name}", schedules.describe(id))
        await stage.attempt(f"patch {name}", schedules.patch(id, pause="x"))
        await stage.attempt(f"delete {name}", schedules.delete(id))
        await stage.attempt(f"update {name}", stage.service.update_schedule(update))
        await stage.attempt(f"times {name}", schedules.times(id, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))
    there: dict[str, Any] = {"namespace": schedules.namespace, "schedule_id": "there"}
    service = stage.service
    try:
        await service.list_schedule_matching_times(ListScheduleMatchingTimesRequest(**there))
    except RPCError as error:
        # Temporal's server adds a failure of its workflow.
        stage.record("no times", [error.status.name, str(error)])
    await stage.attempt("no patch", service.patch_schedule(PatchScheduleRequest(**there)))
    await stage.attempt("long notes", schedules.patch("there", pause="n" * 1_001))
    await stage.attempt("no schedule", service.update_schedule(UpdateScheduleRequest(**there)))
    wrong = schedules.given(spec=every(0))
    await stage.attempt("bad update", service.update_schedule(UpdateScheduleRequest(**there, schedule=wrong)))
    await schedules.delete("there")


# MARK: Actions


@scenario
async def schedule_started_workflow(stage: Stage) -> None:
    """What a workflow of a schedule has, in its history and in its description."""
    schedules = Schedules(stage)
    given = action(
        stage.name,
        memo=Memo(fields={"m": payload("of the action")}),
        workflow_execution_timeout=seconds(100),
    )
    id = "schedule-started"
    await schedules.create(id, Schedule(action=given), memo=Memo(fields={"s": payload("of the schedule")}))
    await schedules.trigger(id, "2026-01-02T03:04:05.6Z")
    described = await schedules.until(id, lambda info: info.action_count == 1)
    stage.record("counts", counts(described))
    history = await stage.events("w-2026-01-02T03:04:05Z")
    started = history.events[0].workflow_execution_started_event_attributes
    attributes = started.search_attributes.indexed_fields.items()
    stage.record("started", {
        "identity": started.identity,
        "attributes": {name: [value.data.decode(), value.metadata["type"].decode()] for name, value in attributes},
        "memo": sorted(started.memo.fields),
        "timeout": started.workflow_execution_timeout.seconds,
        "initiator": started.initiator,
        "attempt": started.attempt,
        "links": len(history.events[0].links),
        "callbacks": len(started.completion_callbacks),
    })  # fmt: skip
    await schedules.delete(id)
    await stage.attempt("still there", stage.service.describe_schedule(
        DescribeScheduleRequest(namespace=schedules.namespace, schedule_id="nowhere-" + id)
    ))  # fmt: skip
    await schedules.terminate("w-2026-01-02T03:04:05Z")


TRIGGERS = [f"2026-01-01T00:00:{second:02}Z" for second in range(1, 5)]


@scenario
async def schedule_overlap_policies(stage: Stage) -> None:
    """Four triggers while a run is open, under each policy, and what comes behind its end."""
    schedules = Schedules(stage)
    for policy in range(1, 7):
        name = OVERLAP.Name(policy)
        id = f"overlap-{policy}"
        given = Schedule(
            spec=ScheduleSpec(), action=action(stage.name, workflow_id=id),
            policies=SchedulePolicies(overlap_policy=policy),
        )  # fmt: skip
        await schedules.create(id, given)
        for number, time in enumerate(TRIGGERS):
            await schedules.trigger(id, time)
            if policy == OVERLAP.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER:
                await schedules.until(id, lambda info, number=number: info.action_count == number + 1)
            elif number == 0:
                await schedules.until(id, lambda info: info.action_count == 1)
        expected = {1: 1, 2: 1, 3: 1, 4: 1, 5: 4, 6: 4}[policy]
        described = await schedules.until(id, lambda info, expected=expected: info.action_count == expected)
        stage.record(name, counts(described))
        first = f"{id}-{TRIGGERS[0]}"
        events = (await stage.events(first)).events
        stage.record(f"{name}, the first run", [MessageToDict(event).get("eventType") for event in events])
        for event in events:
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
                attributes = event.workflow_execution_terminated_event_attributes
                stage.record(f"{name}, terminated", [attributes.reason, attributes.identity.replace(id, "ID")])
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
                requested = event.workflow_execution_cancel_requested_event_attributes
                stage.record(f"{name}, cancel requested", [requested.cause, requested.identity.replace(id, "ID")])
        if policy in (2, 3, 4):
            await schedules.terminate(first)
            described = await schedules.until(id, lambda info: info.action_count == 2)
            stage.record(f"{name}, behind the end", counts(described))
        await schedules.delete(id)


@scenario
async def schedule_backfills(stage: Stage) -> None:
    """Times of the past and the future, with both ends."""
    schedules = Schedules(stage)
    start, end = at("2020-01-01T00:00:00Z"), at("2020-01-01T00:03:00Z")
    for policy in (1, 2, 3, 6):
        id = f"backfill-{policy}"
        given = Schedule(spec=every(60), action=action(stage.name, workflow_id=id), state=PAUSED)
        await schedules.create(id, given)
        await schedules.patch(
            id, backfill_request=[BackfillRequest(start_time=start, end_time=end, overlap_policy=policy)]
        )
        expected = 4 if policy == 6 else 1
        described = await schedules.until(id, lambda info, expected=expected: info.action_count == expected)
        stage.record(OVERLAP.Name(policy), counts(described))
        await schedules.delete(id)
    await schedules.create("odd", schedules.given(spec=every(60), state=PAUSED))
    await schedules.patch("odd", backfill_request=[BackfillRequest(start_time=end, end_time=start)])
    await schedules.patch("odd", backfill_request=[BackfillRequest()])
    stage.record("nothing to fill in", counts(await schedules.describe("odd")))
    await schedules.delete("odd")


@scenario
async def schedule_changes(stage: Stage) -> None:
    """Updates, pauses and triggers: what they leave, and the conflict token."""
    schedules = Schedules(stage)
    id, service = "changes", stage.service
    await schedules.create(id, schedules.given(state=ScheduleState(notes="first")))
    stage.record("created", counts(await schedules.describe(id)))
    await schedules.patch(id, pause="a pause")
    stage.record("paused", counts(await schedules.describe(id)))
    await schedules.patch(id, pause="p", unpause="both")
    stage.record("both", counts(await schedules.describe(id)))
    await schedules.patch(id)
    stage.record("an empty patch", counts(await schedules.describe(id)))
    update: dict[str, Any] = {"namespace": schedules.namespace, "schedule_id": id, "request_id": "u1"}
    changed = schedules.given(spec=every(3_600), state=ScheduleState(limited_actions=True, remaining_actions=2))
    await service.update_schedule(UpdateScheduleRequest(**update, schedule=changed))
    described = await schedules.until(id, lambda info: info.HasField("update_time"))
    stage.record("updated", counts(described))
    stage.record("limited times", len(described.info.future_action_times))
    await service.update_schedule(UpdateScheduleRequest(**update, schedule=schedules.given(state=PAUSED)))
    stage.record("the same request", counts(await schedules.describe(id)))
    await schedules.trigger(id, "2026-01-01T00:00:00Z")
    stage.record("triggered", counts(await schedules.until(id, lambda info: info.action_count == 1)))
    right = UpdateScheduleRequest(
        namespace=schedules.namespace, schedule_id=id, schedule=schedules.given(),
        conflict_token=described.conflict_token,
    )  # fmt: skip
    await service.update_schedule(right)
    stage.record("with its token", counts(await schedules.until(id, lambda info: True)))
    await schedules.terminate("w-2026-01-01T00:00:00Z")
    await schedules.delete(id)


@scenario
async def schedule_results_and_failures(stage: Stage) -> None:
    """Results and failures are carried on, and a failure pauses."""
    schedules = Schedules(stage)
    id = "results"
    given = schedules.given(policies=SchedulePolicies(pause_on_failure=True))
    await schedules.create(id, given)
    worker = RawWorker(stage)

    async def run(number: int, finish: Any) -> None:
        await schedules.trigger(id, f"2026-01-01T00:00:{number:02}Z")
        task = await worker.poll()
        started = task.history.events[0].workflow_execution_started_event_attributes
        stage.record(f"{number} got", {
            "result": [payload.data.decode() for payload in started.last_completion_result.payloads],
            "failure": started.continued_failure.message,
            "initiator": started.initiator,
        })  # fmt: skip
        await finish(task)
        settled = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        described = await schedules.until(id, lambda info: info.recent_actions[-1].start_workflow_status != settled)
        stage.record(f"{number} left", {
            "status": [result.start_workflow_status for result in described.info.recent_actions],
            "notes": described.schedule.state.notes,
            "paused": described.schedule.state.paused,
        })  # fmt: skip

    await run(1, lambda task: worker.complete(task, complete_workflow(1)))
    await run(2, lambda task: worker.complete(task, fail_workflow(application_failure("no luck"))))
    await run(3, lambda task: worker.complete(task, complete_workflow()))
    await run(4, lambda task: worker.complete(task, complete_workflow(4)))
    await run(5, lambda task: schedules.terminate(task.workflow_execution.workflow_id))
    await run(6, lambda task: worker.complete(task, complete_workflow(6)))
    await schedules.delete(id)


# MARK: Lists


@scenario
async def schedules_listed(stage: Stage) -> None:
    """Entries, filters, counts and pages."""
    own = await own_namespace(stage)
    schedules = Schedules(own)
    service, namespace = own.service, own.client.namespace
    attributes = SearchAttributes(indexed_fields={"AKeyword": payload("x y"), "AnInt": payload(7)})
    await schedules.create("l-1", schedules.given(spec=every(3_600, 60), state=PAUSED), search_attributes=attributes)
    await schedules.create("l-2", schedules.given(spec=ScheduleSpec(cron_string=["0 0 * * *"])))
    await schedules.create("m-3", Schedule(), memo=Memo(fields={"m": payload(1)}))

    async def listed(query: str = "", **fields: Any) -> list[str]:
        answer = await service.list_schedules(
            ListSchedulesRequest(namespace=namespace, query=query, maximum_page_size=10, **fields)
        )
        return [entry.schedule_id for entry in answer.schedules]

    async def all_listed() -> bool:
        return len(await listed()) == 3 and len(await listed("TemporalSchedulePaused = true")) == 1

    await stage.until(all_listed)
    answer = await service.list_schedules(ListSchedulesRequest(namespace=namespace, maximum_page_size=10))
    for entry in answer.schedules:
        stage.record(f"entry {entry.schedule_id}", {
            "spec": MessageToDict(entry.info.spec),
            "type": entry.info.workflow_type.name,
            "notes": entry.info.notes,
            "paused": entry.info.paused,
            "times": len(entry.info.future_action_times),
            "memo": sorted(entry.memo.fields),
            "attributes": {
                name: [value.data.decode(), value.metadata["type"].decode()]
                for name, value in entry.search_attributes.indexed_fields.items()
            },
        })  # fmt: skip
    queries = [
        "", " ", "TemporalSchedulePaused = true", "TemporalSchedulePaused = false", "ScheduleId = 'l-1'",
        "ScheduleId != 'l-1'", "ScheduleId IN ('l-1', 'm-3')", "ScheduleId STARTS_WITH 'l-'", "NOT ScheduleId = 'l-1'",
        "AKeyword = 'x y'", "AnInt > 5 AND TemporalSchedulePaused = true", "AnInt IS NULL", "AKeyword IS NOT NULL",
    ]  # fmt: skip
    for query in queries:
        stage.record(f"list {query!r}", await listed(query))
        count = await service.count_schedules(CountSchedulesRequest(namespace=namespace, query=query))
        stage.record(f"count {query!r}", count.count)
    for name in ("WorkflowId", "ExecutionStatus", "WorkflowType", "StartTime", "TemporalNamespaceDivision"):
        value = "'2026-01-01T00:00:00Z'" if name == "StartTime" else "'x'"
        try:
            await listed(f"{name} = {value}")
        except RPCError as error:
            # Sagamore adds where.
            stage.record(f"no filter {name}", [error.status.name, str(error).split(" at character")[0]])
    page = await service.list_schedules(ListSchedulesRequest(namespace=namespace, maximum_page_size=2))
    stage.record("first page", [entry.schedule_id for entry in page.schedules])
    stage.record("second page", await listed(next_page_token=page.next_page_token))
    for id in ("l-1", "l-2", "m-3"):
        await schedules.delete(id)
