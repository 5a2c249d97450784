"""A PostgreSQL whose tables and whose log of writes each have a small file system, which a file can fill.

The file systems are in memory, in a mount namespace of their own. They vanish with its last process, however the tests
end.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from children import end_with_parent

from .part import PartFailed
from .postgres import Postgres

MEBIBYTES = {"data": 80, "wal": 40}
"""What fits: a new cluster takes 40 MiB, the log what is written between two checkpoints."""
NO_SPACE = "No space left on device"


def missing() -> str | None:
    """Why there is no small disk; nothing when there is one."""
    if not shutil.which("unshare") or not shutil.which("nsenter"):
        return "a small disk for PostgreSQL needs Linux, with unshare and nsenter"
    if os.geteuid() != 0:
        return "only root can mount a small disk for PostgreSQL"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"], stderr=subprocess.PIPE, text=True
    )
    return f"a small disk cannot be mounted: {tried.stderr.strip()}" if tried.returncode != 0 else None


class Namespace:
    """A mount namespace, and the process that keeps it while PostgreSQL is down."""

    def __init__(self, mounts: list[str]) -> None:
        """`mounts` are commands for a shell."""
        script = " && ".join([*mounts, "echo ready", "exec sleep infinity"])
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            process_group=0,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
        assert self.keeper.stdout
        if self.keeper.stdout.readline() != b"ready\n":
            raise PartFailed("a small disk could not be mounted")

    def enter(self, command: list[str]) -> list[str]:
        return ["nsenter", f"--mount=/proc/{self.keeper.pid}/ns/mnt", "--", *command]

    def path(self, path: Path) -> Path:
        """Where a path of the namespace is for the others."""
        return Path(f"/proc/{self.keeper.pid}/root{path}")

    def end(self) -> None:
        self.keeper.kill()
        self.keeper.wait()


class Filler:
    """The file that fills a file system."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "filler"

    def fill(self) -> None:
        """Takes what is left, also what was freed since the last call."""
        with self.path.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        self.path.unlink(missing_ok=True)


class SmallDiskPostgres(Postgres):
    """Its disks are `data`, with the tables, and `wal`."""

    namespace: Namespace | None = None

    def make_data(self, *options: str) -> None:
        disks = {name: self.folder / name for name in MEBIBYTES}
        owner = f"uid={self.user.pw_uid},gid={self.user.pw_gid}," if self.user else ""
        mounts = []
        for name, folder in disks.items():
            folder.mkdir()
            mounts.append(f"mount -t tmpfs -o {owner}mode=711,size={MEBIBYTES[name]}m tmpfs {folder}")
        self.namespace = Namespace(mounts)
        self.fillers = {name: Filler(self.namespace.path(folder)) for name, folder in disks.items()}
        self.data = disks["data"] / "cluster"
        super().make_data(f"--waldir={disks['wal']}/log", "--wal-segsize=1")

    def settings(self) -> list[str]:
        # Each segment of the log is a new file: no checkpoint has made an old one usable again.
        return [*super().settings(), "min_wal_size=2MB", "max_wal_size=16MB", "wal_recycle=off"]

    def end_segment(self) -> None:
        """The next write to the log needs another segment, as it would after some time."""
        self.psql("select pg_switch_wal()")

    def as_user(self, command: list[str]) -> list[str]:
        assert self.namespace is not None
        return self.namespace.enter(super().as_user(command))

    def complaints(self) -> int:
        """How often it has said that a disk is full."""
        return self.log.read_text(errors="replace").count(NO_SPACE) if self.log.exists() else 0

    def clean(self) -> None:
        super().clean()
        if self.namespace:
            self.namespace.end()
