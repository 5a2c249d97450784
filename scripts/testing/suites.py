"""Runs suites: targets of swift-testing, and programs that end with a line `N passed, N failed, N skipped`."""

import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Generator
from pathlib import Path

from events import EventStream
from outcome import COUNT, Outcome
from schedule import Say

# A suite that takes longer counts as hung.
LONGEST_SECONDS = int(os.environ.get("SUITE_SECONDS", "1200"))
# How long the processes of a suite may outlive it.
SECONDS_TO_END = float(os.environ.get("SUITE_SECONDS_TO_END", "10"))
# The interval at which a suite's descendants are recorded.
SECONDS_BETWEEN_LOOKS = 0.25
# The processes of a suite have its mark in this variable, after the marks of enclosing suites.
MARK = "TEST_SUITE_MARK"
# swift-testing's exit status if no test matches (EX_UNAVAILABLE).
NO_TESTS = 69


class Process:
    """A child and its descendants, which end with it: a suite leaves nothing behind.

    Descendants are found by their session and by a mark in their environment. Those with neither are recorded while
    their parents run.
    """

    def __init__(self, command: list, environment: dict, output, errors=subprocess.STDOUT):
        self.mark = str(uuid.uuid4())
        marks = f"{os.environ.get(MARK, '')}/{self.mark}"
        self.child = subprocess.Popen(
            command,
            env={**os.environ, **environment, MARK: marks},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        self.deadline = time.monotonic() + LONGEST_SECONDS
        self.hung = False
        self.seen: dict = {}
        self.looked = 0.0

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_):
        self.kill()
        if self.child.stdout:
            self.child.stdout.close()

    def poll(self):
        """The exit status, or None while it runs. A process that hangs is killed."""
        if time.monotonic() - self.looked > SECONDS_BETWEEN_LOOKS:
            self.look()
        if time.monotonic() > self.deadline and self.child.poll() is None:
            self.hung = True
            self.kill()
        return self.child.poll()

    def left(self) -> list:
        """The processes of the suite that have not ended."""
        self.look()
        seen = [process for process, began in self.seen.items() if began_at(process) == began]
        return sorted({*session_members(self.child.pid), *marked(self.mark), *seen})

    def look(self) -> None:
        """Records descendants with their start times, because process ids are reused."""
        self.looked = time.monotonic()
        self.seen = {process: began for process, began in self.seen.items() if began_at(process) == began}
        own = [self.child.pid] if self.child.returncode is None else []
        found = descendants([*own, *self.seen])
        self.seen |= {process: began for process in found if (began := began_at(process)) is not None}

    def ended(self) -> Generator[str, None, list]:
        """Waits for processes to end, kills the rest, and returns a line for each killed process."""
        limit = time.monotonic() + SECONDS_TO_END
        while self.left() and time.monotonic() < limit:
            yield "waiting for its processes"
        lines = [f"left running: {command_line(process)} (process {process})" for process in self.left()]
        self.kill()
        return lines

    def kill(self) -> None:
        """Kills all processes of the suite, which may be in several process groups and sessions."""
        while alive := self.left():
            for process in alive:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
        self.child.wait()


def session_members(session: int) -> list:
    """The processes of a session that have not ended."""
    if not os.path.isdir("/proc/self"):
        listing = subprocess.run(["ps", "-axo", "pid=,pgid=,stat="], stdout=subprocess.PIPE, text=True).stdout
        rows = [line.split() for line in listing.splitlines()]
        return [int(pid) for pid, group, state in rows if int(group) == session and not state.startswith("Z")]
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            # After the name in parentheses: state, parent, group, session.
            state, _, _, owner = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(owner) == session and state != "Z":
            members.append(int(name))
    return members


def process_fields(process: int) -> list:
    """The fields after the name in /proc/PID/stat: state, parent and so on; empty if the process has ended."""
    try:
        fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] == "Z" else fields


def began_at(process: int):
    """When a process began, in ticks since boot; None if it has ended."""
    fields = process_fields(process)
    return int(fields[19]) if fields else None


def descendants(roots: list) -> list:
    """All descendants of these processes. Works on Linux only."""
    children: dict = {}
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc/self") else []):
        if fields := process_fields(int(name)):
            children.setdefault(int(fields[1]), []).append(int(name))
    found, waiting = [], list(roots)
    while waiting:
        more = children.pop(waiting.pop(), [])
        found += more
        waiting += more
    return found


def marked(mark: str) -> list:
    """The running processes with this mark in their environment. Works on Linux only."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc/self") else []):
        try:
            variables = Path("/proc", name, "environ").read_bytes().split(b"\0")
        except OSError:  # the process has ended or belongs to another user
            continue
        # A zombie has no environment.
        if any(each.startswith(f"{MARK}=".encode()) and mark.encode() in each for each in variables):
            found.append(int(name))
    return found


def command_line(process: int) -> str:
    """The command line of a process, truncated."""
    listing = subprocess.run(["ps", "-o", "args=", "-p", str(process)], stdout=subprocess.PIPE, text=True)
    return listing.stdout.strip()[:120] or "a process that has just ended"


def run_swift_tests(
    name: str, tests: Path, pattern: str, options: list, environment: dict, logs: Path, say: Say
) -> Generator[str, None, Outcome]:
    """Runs the tests whose ids match `pattern` in a new process.

    `tests` is the program that holds the package's tests. `swift test` would start it in the same way, but allows
    nothing to run in parallel.
    """
    stream_path = logs / f"{name}.events.jsonl"
    log_path = logs / f"{name}.log"
    stream_path.write_text("")
    command = [str(tests), "--testing-library", "swift-testing", *options]
    command += ["--filter", pattern, "--event-stream-output-path", str(stream_path)]
    environment = {"NO_COLOR": "1"} | environment
    stream = EventStream()
    with open(log_path, "wb") as log, open(stream_path) as events, Process(command, environment, log) as process:
        pending = ""
        while True:
            status = process.poll()
            pending += events.read()
            *lines, pending = pending.split("\n")
            for line in lines:
                for news in stream.feed(line):
                    say(f"  {news}")
            if status is not None:
                break
            running = [stream.names[test] for test in stream.running]
            more = f" and {len(running) - 3} more" if len(running) > 3 else ""
            yield f"{', '.join(running[:3])}{more}"
        left = [] if process.hung else (yield from process.ended())
    outcome = stream.outcome()
    if status == NO_TESTS and not stream.names:
        status = 0
    if process.hung:
        outcome.failures.append(f"{name}: took more than {LONGEST_SECONDS} s and was killed")
    elif status != 0 and not outcome.failures:
        outcome.failures.append(f"{name}: the tests ended with status {status}")
    elif outcome.ran + len(outcome.skips) == 0:
        outcome.failures.append(f"{name}: no test matches {pattern}; is its target in Package.swift?")
    if status != 0 and not (stream.has_ended and stream.outcome().failures):
        say(f"  the test process ended with status {status}; from {log_path}:")
        for line in telling_lines(log_path.read_text(errors="replace").splitlines()):
            say(f"    {line}")
    add_left(outcome, name, left, say)
    return outcome


def add_left(outcome: Outcome, name: str, left: list, say: Say) -> None:
    """All processes that a suite left running count as one failure."""
    for line in left:
        say(f"  {line}")
    if left:
        outcome.failures.append(f"{name}: {'; '.join(left)}")


def telling_lines(log: list, most: int = 40) -> list:
    """The part of a log that explains the end of a process: from the first sign of a crash, or the last lines."""
    signs = ("Fatal error", "*** Signal", "ERROR: AddressSanitizer", "WARNING: ThreadSanitizer")
    first = next((index for index, line in enumerate(log) if any(sign in line for sign in signs)), len(log) - most)
    return log[max(first, 0) :][:most]


def run_program(path: Path, name: str, environment: dict, logs: Path, say: Say) -> Generator[str, None, Outcome]:
    """Runs a suite that is a program, and shows its output, including skips with their reasons."""
    log_path = logs / f"{name}.log"
    count = None
    failed = FailedTests()
    with Process([str(path)], environment, subprocess.PIPE) as process, open(log_path, "w") as log:
        os.set_blocking(process.child.stdout.fileno(), False)
        pending = b""
        while True:
            status = process.poll()
            pending += process.child.stdout.read() or b""
            *lines, pending = pending.split(b"\n")
            if status is not None and pending:
                lines.append(pending)
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                log.write(text + "\n")
                match = COUNT.fullmatch(text)
                if match:
                    count = match
                else:
                    say(f"  {text}")
                    failed.feed(text)
            if status is not None:
                break
            yield ""
        left = [] if process.hung else (yield from process.ended())
    outcome = program_outcome(name, count, status, process.hung, failed.tests)
    add_left(outcome, name, left, say)
    return outcome


class FailedTests:
    """What a program prints of its failures: lines that begin with `failed` or `FAILED`, and indented ones below."""

    MOST_LINES = 12

    def __init__(self):
        self.tests: list = []
        self.lines = 0

    def feed(self, text: str) -> None:
        if text.lower().startswith("failed"):
            self.tests.append(text)
            self.lines = 1
        elif not text.startswith(" "):
            self.lines = 0
        elif 0 < self.lines < self.MOST_LINES:
            self.tests[-1] += f"\n  {text}"
            self.lines += 1


def program_outcome(name: str, count, status: int, hung: bool, told: list) -> Outcome:
    """The outcome of a program that printed `count` (a match of COUNT, or None) and exited with `status`.

    `told` is what it printed of its failures, which need not be all of them.
    """
    outcome = Outcome()
    if count:
        passed, failed, skipped = (int(number) for number in count.groups())
        outcome.passed = passed
        texts = [*told, *["see above"] * failed][:failed]
        outcome.failures = [f"{name}: {text}" for text in texts]
        outcome.skips = [f"{name}: see above"] * skipped
    if hung:
        outcome.failures.append(f"{name}: took more than {LONGEST_SECONDS} s and was killed")
    elif not count:
        outcome.failures.append(f"{name}: ended with status {status} and without its count")
    elif status != 0 and not outcome.failures:
        outcome.failures.append(f"{name}: ended with status {status}")
    elif outcome.ran + len(outcome.skips) == 0:
        outcome.failures.append(f"{name}: no test ran")
    return outcome
