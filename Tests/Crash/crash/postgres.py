"""A PostgreSQL of the test's own, reached through a socket only."""

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .part import Part, PartFailed


class Postgres(Part):
    kind = "PostgreSQL"
    signal_of_death = signal.SIGQUIT

    def __init__(self, logs: Path) -> None:
        super().__init__("postgres", logs)
        self.programs = programs()
        # Short, since a socket's path has 107 bytes at most, and reachable for the database's user.
        self.folder = Path(tempfile.mkdtemp(prefix="sagamore-crash-", dir="/tmp"))
        self.data = self.folder / "data"
        self.user = database_user()
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
            self.folder.chmod(0o711)
        owner = (self.user or pwd.getpwuid(os.geteuid())).pw_name
        self.url = f"postgresql:///postgres?host={self.folder}&user={owner}"

    def make_data(self, *options: str) -> None:
        initdb = [str(self.programs / "initdb"), "-D", str(self.data), "--auth=trust", "--no-sync", "-E", "UTF8"]
        self.run([*initdb, *options])

    def settings(self) -> list[str]:
        # Commits are durable, as everywhere; a small memory makes checkpoints happen while we look.
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=100"]
        settings += ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "log_checkpoints=off"]
        return [*settings, "restart_after_crash=on"]

    def command(self) -> list[str]:
        options = [word for setting in self.settings() for word in ("-c", setting)]
        return self.as_user([str(self.programs / "postgres"), "-D", str(self.data), *options])

    def as_user(self, command: list[str]) -> list[str]:
        """PostgreSQL refuses to run as root."""
        if not self.user:
            return command
        ids = [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}"]
        return ["setpriv", *ids, "--clear-groups", "--", *command]

    def run(self, command: list[str]) -> str:
        """Runs one of PostgreSQL's programs, as its user."""
        done = subprocess.run(
            self.as_user(command),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        if done.returncode != 0:
            raise PartFailed(f"{command[0]} failed: {done.stdout[-500:]}")
        return done.stdout

    async def is_up(self) -> bool:
        return (await asyncio.to_thread(self.psql, "select 1")) == "1"

    def database(self, name: str) -> str:
        """The address of a new database."""
        if self.psql(f"create database {name}") is None:
            raise PartFailed(f"the database {name} could not be made")
        return self.url.replace("///postgres?", f"///{name}?")

    def psql(self, statement: str) -> str | None:
        """What a statement answers, rows as lines; nothing when the database can't answer."""
        answer = subprocess.run(
            [str(self.programs / "psql"), "-XAtq", "-d", self.url, "-c", statement],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return answer.stdout.strip() if answer.returncode == 0 else None

    async def start(self) -> None:
        if self.process is None:
            await asyncio.to_thread(self.make_data)
        # The processes of a killed postmaster may hold its memory for a moment: a new one refuses until they ended.
        for _ in range(50):
            self.launch()
            try:
                await self.until_up()
                return
            except PartFailed:
                if "in use" not in self.last_words() and "another server" not in self.last_words():
                    raise
            await asyncio.sleep(0.1)
        raise PartFailed(f"postgres can't be started again: {self.last_words()}")

    async def stop(self, seconds: float = 20) -> None:
        """In order, but without waiting for those who use it: SIGTERM would wait until the last one has gone."""
        if self.process is None or not self.runs:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(self.process.wait, seconds)
        except subprocess.TimeoutExpired:
            await self.kill()

    async def kill(self) -> None:
        await self.kill_how("all of it")

    async def kill_how(self, how: str, chosen: float = 0) -> None:
        """`all of it`: every process at once, as when the machine's power fails. `its main process`: the others notice.
        `at once`: it ends without a checkpoint, by SIGQUIT. `a session`: one that works for the server; PostgreSQL then
        restarts itself."""
        assert self.process is not None
        children = self.children()
        if how == "a session":
            sessions = [pid for pid in children if b"postgres: " in title(pid) and b"[local]" in title(pid)]
            for pid in sessions[int(chosen * len(sessions)) :][:1]:
                end(pid)
            return
        self.process.send_signal(signal.SIGQUIT if how == "at once" else signal.SIGKILL)
        if how == "all of it":
            for pid in children:
                end(pid)
        await asyncio.to_thread(self.process.wait)

    def children(self) -> list[int]:
        assert self.process is not None
        with contextlib.suppress(FileNotFoundError):
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return [int(pid) for pid in text.split()]
        listed = subprocess.run(["ps", "-axo", "pid=,ppid="], stdout=subprocess.PIPE, text=True).stdout
        rows = [line.split() for line in listed.splitlines()]
        return [int(pid) for pid, parent in rows if int(parent) == self.process.pid]

    def clean(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def title(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def database_user() -> "pwd.struct_passwd | None":
    """Who runs PostgreSQL, when that can't be ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PartFailed("PostgreSQL does not run as root, and there is no user postgres or nobody")


def programs() -> Path:
    """The folder of PostgreSQL's programs: the newest version that is there."""
    folders = [Path(folder) / "bin" for folder in Path("/usr/lib/postgresql").glob("*")]
    folders = [folder for folder in folders if (folder / "initdb").exists()]
    if folders:
        return max(folders, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))
    found = shutil.which("initdb")
    if not found:
        raise PartFailed("there is no PostgreSQL: run `make setup`")
    return Path(found).resolve().parent
