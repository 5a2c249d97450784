"""A PostgreSQL that archives its log, is backed up while it runs, and goes back to a point in time."""

import asyncio
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from crash.part import PartFailed
from crash.postgres import Postgres


@dataclass(frozen=True)
class Point:
    """A moment of the database: everything that was committed before it, and nothing else."""

    lsn: str
    time: float


class ArchivingPostgres(Postgres):
    def __init__(self, logs: Path) -> None:
        super().__init__(logs)
        self.recovery: list[str] = []
        self.archive = self.folder / "archive"
        self.archive.mkdir()
        if self.user:
            shutil.chown(self.archive, self.user.pw_uid, self.user.pw_gid)

    def settings(self) -> list[str]:
        archive = f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f"
        # It is always stopped in order, and a recovery would first flush each file of the copy.
        settings = ["fsync=off", "wal_level=replica", "archive_mode=on", f"archive_command={archive}"]
        return [*super().settings(), *settings, *self.recovery]

    def take_backup(self, name: str) -> Path:
        backup = self.folder / name
        command = [str(self.programs / "pg_basebackup"), "-D", str(backup), "-d", self.url]
        self.run([*command, "--checkpoint=fast", "--no-sync"])
        return backup

    def now(self) -> Point:
        """This moment, as a point that can be returned to."""
        lsn = self.psql("select pg_current_wal_lsn()")
        if lsn is None:
            raise PartFailed("the database does not tell where its log ends")
        return Point(lsn, time.time())

    async def archive_all(self) -> None:
        """Waits until what is written so far is in the archive, too."""
        segment = self.psql("select pg_walfile_name(pg_switch_wal())")
        for _ in range(200):
            if segment and (self.archive / segment).exists():
                return
            await asyncio.sleep(0.05)
        raise PartFailed(f"the log's segment {segment} was not archived: {self.last_words()}")

    async def go_back(self, backup: Path, point: Point, pause: float = 0) -> None:
        """Stops, puts a backup in place of the data, replays the archive up to the point, and starts from there."""
        await self.archive_all()
        await self.stop()
        await asyncio.sleep(pause)
        await asyncio.to_thread(shutil.rmtree, self.data)
        self.run(["cp", "-a", str(backup), str(self.data)])
        self.run(["touch", str(self.data / "recovery.signal")])
        self.recovery = [
            f"restore_command=cp {self.archive}/%f %p",
            f"recovery_target_lsn={point.lsn}",
            "recovery_target_action=promote",
            # The timeline of the backup: that of an earlier return branches off at the same point.
            "recovery_target_timeline=current",
        ]
        await self.start()
        while self.psql("select pg_is_in_recovery()") != "f":
            self.check_runs()
            await asyncio.sleep(0.05)
