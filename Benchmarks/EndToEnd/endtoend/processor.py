"""What processes use, from /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def fields(pid: int) -> list[str] | None:
    """The fields of a process's `stat` after its name, which may hold anything: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def family() -> dict[int, list[tuple[int, list[str]]]]:
    """Every process's children."""
    children: dict[int, list[tuple[int, list[str]]]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        found = fields(int(name))
        if found:
            children.setdefault(int(found[1]), []).append((int(name), found))
    return children


def seconds(pids: list[int]) -> list[float]:
    """CPU seconds, user and system, of each process with all that it started: live, and ended and waited for.

    A PostgreSQL server gives every connection a process of its own. What ended ones used is added to their parent's
    count, so nothing is lost when a connection is closed. A process that is asked for by itself (a PostgreSQL that the
    server started) is not counted for its parent.
    """
    children = family()

    def total(found: list[str], pid: int) -> int:
        own = sum(int(found[index]) for index in (11, 12, 13, 14))
        return own + sum(total(each, child) for child, each in children.get(pid, []) if child not in pids)

    return [total(found, pid) / TICKS if (found := fields(pid)) else 0.0 for pid in pids]


def resident_mib(pid: int) -> float:
    """The memory of one process that is in RAM, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
