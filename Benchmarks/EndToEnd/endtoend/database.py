"""PostgreSQL's settings, its counters, and the size of what was written."""

import json
import subprocess
import time
from typing import Any

from crash.postgres import programs

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")

COUNTERS = """
    select json_build_object(
        'shards', (select count(*) from sagamore.shards),
        'transactions', (select xact_commit from pg_stat_database where datname = current_database()),
        'tables', (select json_object_agg(relname, json_build_object(
            'inserted', n_tup_ins, 'updated', n_tup_upd, 'hot_updated', n_tup_hot_upd, 'deleted', n_tup_del))
            from pg_stat_user_tables where schemaname = 'sagamore'),
        'log', (select json_build_object('bytes', wal_bytes, 'whole_pages', wal_fpi, 'syncs', wal_sync)
            from pg_stat_wal))
"""

JOURNAL = """
    select json_build_object('runs', count(distinct run_id), 'rows', count(*),
        'event_bytes', coalesce(sum(octet_length(events)), 0), 'fact_bytes', coalesce(sum(octet_length(facts)), 0))
    from sagamore.journal
"""

SIZES = """
    select coalesce(json_object_agg(relname, pg_total_relation_size(relid)), '{}')
    from pg_stat_user_tables where schemaname = 'sagamore'
"""


class Refused(Exception):
    """The setup would not measure what the figures claim."""


class Database:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, statement: str) -> str:
        command = [str(programs() / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url, "-c", statement]
        answer = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if answer.returncode != 0:
            raise Refused(f"psql: {answer.stderr.strip()}")
        return answer.stdout.strip()

    def durability(self) -> dict[str, str]:
        """The settings that let a commit survive a power failure, and the data's file system.

        Raises `Refused` when one is off: figures of commits that may be lost are not comparable.
        """
        settings = {name: self.ask(f"show {name}") for name in DURABILITY}
        settings["data_on"] = self.place()
        off = [f"{name} is {settings[name]}" for name in DURABILITY if settings[name] != "on"]
        if settings["data_on"] in ("tmpfs", "ramfs"):
            off.append(f"data is on {settings['data_on']}")
        if off:
            raise Refused(f"PostgreSQL's {', '.join(off)}: a commit may be lost, and nothing is measured")
        return settings

    def version(self) -> str:
        return self.ask("show server_version")

    def place(self) -> str:
        """The type of the data's file system. In memory a commit would cost nothing."""
        folder = self.ask("show data_directory")
        kind = subprocess.run(["stat", "--file-system", "--format=%T", folder], stdout=subprocess.PIPE, text=True)
        return kind.stdout.strip()

    def counters(self) -> dict[str, Any]:
        """The counters, once all sessions have reported theirs, which takes up to a second."""
        time.sleep(1.5)
        return dict(json.loads(self.ask(COUNTERS)))

    def has_unpublished(self) -> bool:
        """Whether the outbox still holds records, published or not."""
        return self.ask("select exists (select from sagamore.outbox)") == "t"

    def journal(self) -> dict[str, float]:
        """Rows and bytes of the journal per run, averaged over all runs."""
        found = json.loads(self.ask(JOURNAL))
        runs = max(found.pop("runs"), 1)
        return {f"{name}_per_saga": round(value / runs, 1) for name, value in found.items()} | {"runs": runs}

    def table_bytes(self, sagas: int) -> dict[str, int]:
        """Bytes of each table and its indexes per saga, including dead rows that await vacuum."""
        found = json.loads(self.ask(SIZES))
        return {name: round(value / sagas) for name, value in sorted(found.items()) if value >= sagas}


def written(before: dict[str, Any], after: dict[str, Any], sagas: int, elapsed: float) -> dict[str, Any]:
    """What was written per saga between two readings of the counters.

    Every commit of a lane updates its shard's row, and so does the renewal of its lease, once a second.
    """

    def grew(table: str, counter: str) -> int:
        return int(after["tables"].get(table, {}).get(counter, 0) - before["tables"].get(table, {}).get(counter, 0))

    def per_saga(count: float) -> float:
        return round(count / sagas, 2)

    commits = max(grew("shards", "updated") - round(elapsed * after["shards"]), 1)
    changes = {}
    for table in sorted(after["tables"]):
        counts = {name: grew(table, name) for name in ("inserted", "updated", "deleted")}
        if table != "shards" and any(counts.values()):
            changes[table] = {name: per_saga(count) for name, count in counts.items() if count}
    updates = sum(grew(table, "updated") for table in after["tables"])
    return {
        "transactions_per_saga": per_saga(after["transactions"] - before["transactions"]),
        "lane_commits": commits,
        "lane_commits_per_saga": per_saga(commits),
        "journal_rows_per_commit": round(grew("journal", "inserted") / commits, 2),
        "log_syncs_per_saga": per_saga(after["log"]["syncs"] - before["log"]["syncs"]),
        "log_bytes_per_saga": round((after["log"]["bytes"] - before["log"]["bytes"]) / sagas),
        "whole_pages_in_log": after["log"]["whole_pages"] - before["log"]["whole_pages"],
        "hot_updates_share": round(sum(grew(table, "hot_updated") for table in after["tables"]) / max(updates, 1), 3),
        "rows_per_saga": changes,
    }
