"""CPU time and memory of processes, from /proc."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def fields(pid: int) -> list[str] | None:
    """The fields of a process's `stat` after its name, which may contain spaces: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def family() -> dict[int, list[tuple[int, list[str]]]]:
    """The children of every process."""
    children: dict[int, list[tuple[int, list[str]]]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        found = fields(int(name))
        if found:
            children.setdefault(int(found[1]), []).append((int(name), found))
    return children


def seconds(pids: list[int]) -> list[float]:
    """CPU seconds, user and system, of each process and its descendants, both running and reaped.

    PostgreSQL runs each connection in its own process. The kernel adds the time of a reaped process to its parent, so
    nothing is lost when a connection closes. A process in `pids` (the PostgreSQL that the server started) is not
    counted for its parent as well.
    """
    children = family()

    def total(found: list[str], pid: int) -> int:
        own = sum(int(found[index]) for index in (11, 12, 13, 14))
        return own + sum(total(each, child) for child, each in children.get(pid, []) if child not in pids)

    return [total(found, pid) / TICKS if (found := fields(pid)) else 0.0 for pid in pids]


def resident_mib(pid: int) -> float:
    """The resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
