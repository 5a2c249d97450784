"""The measurements, one function for each part of the answer."""

import contextlib
import json
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from children import end_with_parent

from . import children as crowds
from . import neighbors as endless
from . import transitions as steps
from . import yardsticks
from .bookings import Desk, Order
from .database import Database, written
from .parts import REPOSITORY, MeasuredKafka, Server, Worker, running, versions
from .processor import resident_mib, seconds
from .starts import starting


@dataclass
class Plan:
    """What is measured, how much of it, and with which programs."""

    binary: Path
    benchmarks: Path
    travel_booking: Path
    families: Path
    sagaload: str
    logs: Path
    sagas: int
    sagas_alone: int
    sagas_for_memory: int
    children: int
    steps: int
    burst: int
    starts_burst: int
    bookings: int
    python_bookings: int
    rate: float
    rated_seconds: float
    python_processes: int
    guarded_sagas: int
    parked: int
    listed: int
    problems: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    def check(self, database: Database) -> None:
        """Records the measured database. Raises `Refused` when its commits are not durable."""
        self.about["postgres"] = {"version": database.version(), **database.durability()}


# MARK: sagas over gRPC


def sagas(plan: Plan) -> dict[str, Any]:
    """Sagas of a driver on an official SDK, 20 at a time and one at a time."""
    with running(Server(plan.binary, plan.logs)) as server:
        assert isinstance(server, Server)
        plan.check(server.database)
        answer = {
            "twenty_at_a_time": with_counters(plan, server, plan.sagas, 20),
            "one_at_a_time": with_counters(plan, server, plan.sagas_alone, 1),
            "journal": server.database.journal(),
        }
        answer["table_bytes_per_saga"] = server.database.table_bytes(int(answer["journal"]["runs"]))
    return answer


def with_counters(plan: Plan, server: Server, count: int, at_a_time: int) -> dict[str, Any]:
    before, began = server.database.counters(), time.monotonic()
    answer = drive(plan, server, count, at_a_time)
    after = server.database.counters()
    both = answer.get("server_cpu_ms_per_saga", 0) + answer.get("postgres_cpu_ms_per_saga", 0)
    # The driver's own figures leave out its warm-up; the database's include it.
    ran = count + answer.pop("warm_up")
    return answer | {
        "server_and_postgres_cpu_ms_per_saga": round(both, 2),
        "written": written(before, after, ran, time.monotonic() - began),
    }


def drive(plan: Plan, server: Server, count: int, at_a_time: int) -> dict[str, Any]:
    processes = {"server-pid": server.pid, "postgres-pid": server.postgres_pid}
    return drive_at(plan, server.address, processes, count, at_a_time)


def drive_at(plan: Plan, address: str, processes: dict[str, int], count: int, at_a_time: int) -> dict[str, Any]:
    """Runs the driver, which prints one JSON object."""
    warm_up = min(50, count)
    flags = {"address": address, "count": count, "concurrency": at_a_time, "warmup": warm_up, **processes}
    command = [plan.sagaload, *(f"--{name}={value}" for name, value in flags.items())]
    ran = driver(command)
    try:
        answer = dict(json.loads(ran.stdout))
    except ValueError:
        plan.problems.append(f"{plan.sagaload} printed no JSON and ended with status {ran.returncode}")
        return {"warm_up": warm_up}
    if ran.returncode != 0 or answer.get("errors"):
        plan.problems.append(f"{answer.get('errors')} sagas failed, the first: {answer.get('first_error')}")
    kept = {name: value for name, value in answer.items() if name not in ("label", "first_error", "rate", "fail_rate")}
    return kept | {"warm_up": warm_up}


def driver(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Runs a measuring program. It ends with this process at the latest."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent()
    )


def pieces(plan: Plan) -> dict[str, Any]:
    """Fixed pieces of work, by which figures of other machines can be judged."""
    return yardsticks.pieces()


def temporal(plan: Plan) -> dict[str, Any]:
    """The same sagas on the Temporal development server, in memory. A tenth of them: they take long."""
    with yardsticks.temporal_server() as (address, pid):
        answer = {}
        for name, count, at_a_time in (
            ("twenty_at_a_time", max(20, plan.sagas // 10), 20),
            ("one_at_a_time", max(20, plan.sagas_alone // 10), 1),
        ):
            answer[name] = drive_at(plan, address, {"server-pid": pid}, count, at_a_time)
            answer[name].pop("warm_up")
        return answer


def memory(plan: Plan) -> dict[str, Any]:
    """The server's memory after a number of sagas, and after as many again."""
    answer: dict[str, Any] = {}
    with running(Server(plan.binary, plan.logs)) as server:
        assert isinstance(server, Server)
        plan.check(server.database)
        answer["at_start_mib"] = resident_mib(server.pid)
        for turn in (1, 2):
            drive(plan, server, plan.sagas_for_memory, 20)
            time.sleep(3)
            answer[f"after_{turn * plan.sagas_for_memory}_mib"] = resident_mib(server.pid)
    first, second = list(answer.values())[-2:]
    return answer | {"ratio": round(second / first, 3)}


def children(plan: Plan) -> dict[str, Any]:
    """A parent with many children, all on one worker in Swift, and signals to another workflow."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running(Server(plan.binary, plan.logs)))
        assert isinstance(server, Server)
        plan.check(server.database)
        stack.enter_context(running(Worker(plan.logs, server.address, [str(plan.families)])))
        return crowds.children(server.address, plan.children, max(20, plan.children // 5))


def transitions(plan: Plan) -> dict[str, Any]:
    """Steps of runs with a long history, or with much that is pending."""
    with running(Server(plan.binary, plan.logs)) as server:
        assert isinstance(server, Server)
        plan.check(server.database)
        pids = [server.pid, server.postgres_pid]
        return steps.transitions(server.address, plan.steps, lambda: sum(seconds(pids)))


def neighbors(plan: Plan) -> dict[str, Any]:
    """Steps of a workflow beside others that never end."""
    with running(Server(plan.binary, plan.logs)) as server:
        assert isinstance(server, Server)
        plan.check(server.database)
        return endless.neighbors(server.address, plan.steps)


def operations(plan: Plan) -> dict[str, Any]:
    """A node as it is run for real: encryption, tokens, connections, a flood, a start with many parked runs."""
    from .operations import operations as measured_operations

    return measured_operations(plan.binary, plan.logs, plan.guarded_sagas, plan.steps, plan.parked)


def lists(plan: Plan) -> dict[str, Any]:
    """Lists and counts over a large table of runs, alone and beside sagas."""
    from .lists import lists as measured_lists

    return measured_lists(plan.binary, plan.logs, plan.sagaload, plan.listed, 100)


def schedules(plan: Plan) -> dict[str, Any]:
    """Schedules that are due in the same second, and those that are not."""
    from .schedules import schedules as measured_schedules

    return measured_schedules(plan.binary, plan.logs, 1_000, plan.listed // 10)


def attributes(plan: Plan) -> dict[str, Any]:
    """Sagas with search attributes and without."""
    from .attributes import attributes as measured_attributes

    return measured_attributes(plan.binary, plan.logs, plan.guarded_sagas)


# MARK: commands and events on Kafka


def commands(plan: Plan) -> dict[str, Any]:
    """From commands on a topic to `accepted` events on a topic, without a worker."""
    return stage(plan, plan.burst, None)


def starts(plan: Plan) -> dict[str, Any]:
    """Starts over gRPC, alone and during a burst of commands from a topic, without a worker."""
    queue = "nobody-polls-this"
    plan.about["kafka"] = versions()
    with contextlib.ExitStack() as stack:
        kafka = stack.enter_context(running(MeasuredKafka(plan.logs)))
        assert isinstance(kafka, MeasuredKafka)
        server = stack.enter_context(running(Server(plan.binary, plan.logs, kafka.address)))
        assert isinstance(server, Server)
        plan.check(server.database)
        desk = stack.enter_context(contextlib.closing(Desk(kafka.address)))
        desk.run(Order(200, 0, queue, has_worker=False, settle=0.5))
        with starting(server.address, queue) as alone:
            time.sleep(5)
        with starting(server.address, queue) as meanwhile:
            burst = desk.run(Order(plan.starts_burst, 0, queue, has_worker=False, settle=0))
        burst.pop("at_end")
        for failure in alone.pop("failures") + meanwhile.pop("failures"):
            plan.problems.append(f"a start failed: {failure}")
        plan.problems += desk.problems
        return {"alone": alone, "during_the_burst": meanwhile, "burst": burst}


def swift_worker(plan: Plan) -> dict[str, Any]:
    """From commands on a topic to their last events on a topic, with one process of the Swift sample."""
    return stage(plan, plan.bookings, [str(plan.travel_booking)])


def python_worker(plan: Plan) -> dict[str, Any]:
    """The same with several processes of the Python sample."""
    program = [str(REPOSITORY / "sagas/travel-booking-python/run"), "--processes", str(plan.python_processes)]
    return stage(plan, plan.python_bookings, program) | {"processes": plan.python_processes}


def stage(plan: Plan, burst: int, worker: list[str] | None) -> dict[str, Any]:
    """Measures a rated run and a burst on a new broker and database."""
    rated = int(plan.rate * plan.rated_seconds)
    queue = "travel-booking" if worker else "nobody-polls-this"

    def order(count: int, rate: float = 0) -> Order:
        return Order(count, rate, queue, worker is not None)

    plan.about["kafka"] = versions()
    with contextlib.ExitStack() as stack:
        kafka = stack.enter_context(running(MeasuredKafka(plan.logs)))
        assert isinstance(kafka, MeasuredKafka) and kafka.process is not None
        server = stack.enter_context(running(Server(plan.binary, plan.logs, kafka.address)))
        assert isinstance(server, Server)
        plan.check(server.database)
        processes = {"server": server.pid, "postgres": server.postgres_pid, "broker": kafka.process.pid}
        if worker:
            part = stack.enter_context(running(Worker(plan.logs, server.address, worker)))
            assert part.process is not None
            processes["worker"] = part.process.pid
        return both_orders(plan, kafka.address, server, processes, order(rated, plan.rate), order(burst))


def both_orders(
    plan: Plan, brokers: str, server: Server, processes: dict[str, int], rated: Order, burst: Order
) -> dict[str, Any]:
    desk = Desk(brokers)
    try:
        # A warm-up: the broker compiles its code while it runs, and workers load theirs.
        desk.run(Order(min(200, burst.count), 0, burst.task_queue, burst.has_worker, settle=0.5))
        answer = {
            f"at_{rated.rate:g}_a_second": measured(plan, desk, server, processes, rated),
            "burst": measured(plan, desk, server, processes, burst),
            "journal": server.database.journal(),
        }
        if "worker" in processes:
            answer["worker_mib"] = resident_mib(processes["worker"])
        return answer
    finally:
        desk.close()
        plan.problems += desk.problems


def measured(plan: Plan, desk: Desk, server: Server, processes: dict[str, int], order: Order) -> dict[str, Any]:
    """Runs an order. Costs are counted from its first command to its last event, and again until the outbox is empty,
    because published records are deleted in bounded steps."""
    before, began = server.database.counters(), time.monotonic()
    pids = list(processes.values())
    first = seconds(pids)
    answer = desk.run(order, lambda: seconds(pids))
    at_end = answer.pop("at_end")
    deadline = time.monotonic() + 60
    while server.database.has_unpublished() and time.monotonic() < deadline:
        time.sleep(1)
    last = seconds(pids)
    after, elapsed = server.database.counters(), time.monotonic() - began

    def per_saga(until: list[float]) -> dict[str, float]:
        used = zip(processes, first, until, strict=True)
        return {name: round((end - begin) * 1000 / order.count, 2) for name, begin, end in used}

    return answer | {
        "cpu_ms_per_saga": per_saga(at_end),
        "cpu_ms_per_saga_until_the_outbox_is_empty": per_saga(last),
        "server_mib": resident_mib(server.pid),
        "written": written(before, after, order.count, elapsed),
    }


# MARK: the engine alone


def engine(plan: Plan) -> Any:
    """The engine without network and database, including encoding and decoding a history."""
    ran = driver([str(plan.benchmarks), "engine"])
    try:
        return json.loads(ran.stdout)
    except ValueError:
        plan.problems.append(f"{plan.benchmarks.name} printed no JSON and ended with status {ran.returncode}")
        return None
